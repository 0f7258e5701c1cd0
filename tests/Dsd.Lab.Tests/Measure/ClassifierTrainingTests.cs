using Dsd.Imaging;
using Dsd.Lab.Measure;
using Dsd.Lab.Tests.Training;
using Dsd.Lab.Training;
using Dsd.Models.Training;
using Dsd.Models.Weights;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tiny.Classifier;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Measure;

// Alone: it sets the number of threads, and torch's random numbers are the process's.
[Collection(RunAlone.Name)]
public class ClassifierTrainingTests
{
    private static readonly ClassifierConfig Small = ClassifierConfig.ForWorld with { ImageSize = 32, Channels = [8, 16, 16] };

    private static readonly ClassifierTrainingOptions Options = new()
    {
        Folder = "unused",
        Config = Small,
        Steps = 4,
        Batch = 8,
        WarmupSteps = 1,
        AverageDecay = 0,
        HeldOutPictures = 16,
    };

    [Fact]
    public void Network_IsNoLargerThanItsShareOfTheShippedWeights()
    {
        using ClassifierNetwork network = new(ClassifierConfig.ForWorld);
        Assert.InRange(network.parameters().Sum(p => p.numel()), 200_000, 400_000);
    }

    [Fact]
    public void Network_TellsWhereThingsAre()
    {
        using DisposeScope scope = NewDisposeScope();
        random.manual_seed(1);
        using ClassifierNetwork network = new(Small);
        Tensor left = zeros(1, 3, 32, 32);
        left[0, 0, 10..20, 4..12] = 1;
        Tensor right = left.roll(12, 3);
        Assert.False(network.forward(left).allclose(network.forward(right), 1e-3, 1e-3));
    }

    [Fact]
    public void Loss_FallsWhenABatchIsLearnt()
    {
        using DisposeScope scope = NewDisposeScope();
        random.manual_seed(1);
        using ClassifierNetwork network = new(Small);
        (Tensor images, Tensor values) = new PanelBatches(1, 16, 32).Take(0, CPU);
        using TrainingLoop loop = new(network.parameters(), new TrainingLoopOptions { Steps = 80, PeakLearningRate = 1e-2 });
        float before = network.Loss(images, values).item<float>();
        loop.Run(_ => network.Loss(images, values));
        Assert.InRange(network.Loss(images, values).item<float>(), 0, 0.6f * before);
    }

    [Fact]
    public void Augmentation_ChangesPicturesOnlyALittle()
    {
        using DisposeScope scope = NewDisposeScope();
        random.manual_seed(2);
        (Tensor images, _) = new PanelBatches(1, 16, TinyModel.PanelSize).Take(0, CPU);
        Tensor augmented = ClassifierAugmentation.Apply(images, null);
        Assert.Equal(images.shape, augmented.shape);
        Assert.InRange((augmented - images).abs().mean([1, 2, 3]).max().item<float>(), 0.001f, 0.25f);
    }

    [Fact]
    public void Augmentation_DecodesAPartOfTheBatch()
    {
        using DisposeScope scope = NewDisposeScope();
        long decoded = 0;
        ClassifierAugmentation.Apply(zeros(12, 3, 32, 32), part =>
        {
            decoded = part.shape[0];
            return part.clone();
        });
        Assert.Equal(4, decoded);
    }

    [Fact]
    public void Run_WritesAClassifierThatReadsEveryAttribute()
    {
        using TemporaryFolder folder = new();
        ClassifierTrainingReport report = ClassifierTraining.Run(Options with { Folder = folder.Path, RoundTrip = images => images.clone() });
        Assert.True(report.Complete);
        Assert.Equal(Small.Attributes.Select(kind => kind.Name), report.Accuracy.Keys);
        Assert.Equal(report.Accuracy, report.DecodedAccuracy);
        Assert.All(report.Accuracy.Values, share => Assert.InRange(share, 0, 1));
        Assert.NotEqual(report.Accuracy["placement"], report.Accuracy["shape"]);
        Assert.Equal(["config.json", "model.safetensors"], Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName).Order());

        using AttributeClassifier classifier = AttributeClassifier.Load(folder.Path);
        Picture[] pictures = [.. WorldSampler.Subjects(1).Take(3).Select(subject => Renderer.Draw(subject, new Context()))];
        int[][] read = classifier.Read(pictures);
        Assert.Equal(3, read.Length);
        Assert.All(read, values => Assert.All(values.Zip(Small.Attributes), pair => Assert.InRange(pair.First, 0, pair.Second.Count - 1)));
        Assert.Equal(read[2], classifier.Read([pictures[2]])[0]);
    }

    [Fact]
    public void Run_GoesOnFromItsCheckpoint()
    {
        using TemporaryFolder whole = new();
        using TemporaryFolder parts = new();
        // With several threads, sums are added up in an order that is not always the same. On one, a last bit may still differ, of which the optimiser
        // makes more where a gradient is next to nothing.
        int threads = get_num_threads();
        set_num_threads(1);
        try
        {
            TrainWholeAndInParts(whole, parts);
        }
        finally
        {
            set_num_threads(threads);
        }
        TrainedWeights.AssertSame(whole.File("model.safetensors"), parts.File("model.safetensors"));
        Assert.False(Directory.Exists(parts.File("checkpoints")));
    }

    private static void TrainWholeAndInParts(TemporaryFolder whole, TemporaryFolder parts)
    {
        ClassifierTraining.Run(Options with { Folder = whole.Path });
        Assert.False(ClassifierTraining.Run(Options with { Folder = parts.Path, Deadline = DateTime.UtcNow }).Complete);
        Assert.True(File.Exists(parts.File("model.safetensors")));
        Assert.True(ClassifierTraining.Run(Options with { Folder = parts.Path }).Complete);
    }

    [Fact]
    public void Load_RefusesAClassifierOfAnotherWorld()
    {
        using TemporaryFolder folder = new();
        (Small with { Attributes = [new AttributeKind("metal", ["Gold", "Silver"])] }).Save(folder.File("config.json"));
        Assert.Contains("config.json", Assert.Throws<WeightsException>(() => AttributeClassifier.Load(folder.Path)).Message);
    }

    [Fact]
    public void Batches_OfHeldOutSubjectsHoldNoOthers()
    {
        using DisposeScope scope = NewDisposeScope();
        (_, Tensor values) = new PanelBatches(3, 8, 32, heldOut: true).Take(0, CPU);
        int[][] subjects = [.. values.data<long>().ToArray().Select(v => (int)v).Chunk(AttributeScores.ReadingLength)];
        Assert.All(subjects, read => Assert.True(WorldSampler.IsHeldOut(Subject.FromValues(read.AsSpan(0, Subject.Kinds.Count)))));
    }
}
