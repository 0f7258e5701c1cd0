using Dsd.Imaging;
using Dsd.Lab.Study;
using Dsd.Lab.Study.Baselines;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Testing;
using Dsd.Tiny;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Study.Baselines;

/// <summary>The two systems that learn from pairs: the pooled image embedding and the added structure.</summary>
[Collection("Torch's random numbers")]
public sealed class ReferenceSystemsTests : IClassFixture<SmallTeacher>
{
    private static readonly StudyBudget Budget = new(Steps: 40, Batch: 3, LearningRate: 5e-3, Rank: 2, Guidance: 3.5f, Seed: 3);
    private static readonly DsdOptions Quick = TinyModel.Sampling with { Steps = 2, UnguidedSteps = 0 };
    private readonly SmallTeacher _teacher;

    public ReferenceSystemsTests(SmallTeacher teacher) => _teacher = teacher;

    [Fact]
    public void Structure_BeginsAsThePlainTeacher()
    {
        using DisposeScope scope = NewDisposeScope();
        using StructureNetwork network = StructureNetwork.Create(_teacher.Folder, CPU, 2, 1);

        Tensor velocity = Velocity(network, Reference(network), given: true);

        Assert.InRange((velocity - Plain()).abs().max().item<float>(), 0, 1e-5f);
    }

    [Fact]
    public void ImageEmbedding_BeginsWithoutAWordOfTheReference()
    {
        using DisposeScope scope = NewDisposeScope();
        using ImageEmbeddingNetwork network = ImageEmbeddingNetwork.Create(_teacher.Folder, CPU, 2, 1);
        Tensor reference = Reference(network);

        Assert.True(Velocity(network, reference, given: true).allclose(Velocity(network, reference, given: false)));
    }

    [Fact]
    public void ImageEmbedding_BeginsNearTheEmbeddedTeacher()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        using ImageEmbeddingNetwork network = ImageEmbeddingNetwork.Create(TinyModel.Folder, CPU, 2, 1);
        using FluxModel plain = (FluxModel)DiffusionModel.Load(TinyModel.Folder);

        Tensor expected = Plain(plain);
        Tensor distance = (Velocity(network, Reference(network), given: true) - expected).norm() / expected.norm();

        Assert.InRange(distance.item<float>(), 0, 0.05f);
    }

    [Fact]
    public void ImageEmbedding_IsBlindToWhereThingsAre()
    {
        using DisposeScope scope = NewDisposeScope();
        string file = Trained("image_embedding");
        using ImageEmbeddingNetwork network = ImageEmbeddingNetwork.Load(_teacher.Folder, CPU, file);
        Tensor reference = Reference(network);
        Tensor given = ones([1, 1, 1], ScalarType.Bool);

        Tensor tokens = network.Tokens(reference, given);

        TensorsEqual(tokens, network.Tokens(reference.flip(1), given), 1e-5f);
    }

    [Fact]
    public void ImageEmbedding_LearnsToTellReferencesApart()
    {
        using DisposeScope scope = NewDisposeScope();
        using ImageEmbeddingNetwork network = ImageEmbeddingNetwork.Load(_teacher.Folder, CPU, Trained("image_embedding"));
        Tensor given = ones([1, 1, 1], ScalarType.Bool);

        Tensor one = network.Tokens(Reference(network), given);

        Assert.True((one - network.Tokens(zeros_like(Reference(network)), given)).abs().max().item<float>() > 1e-3f);
    }

    [Theory]
    [InlineData("image_embedding")]
    [InlineData("structure")]
    public void Train_LowersTheLoss(string system)
    {
        List<float> losses = [];

        Train(system, _teacher.NewFile($"{system}-loss.safetensors"), Budget with { Steps = 100 }, losses);

        Assert.True(losses[^1] < 0.9f * losses[0], string.Join(' ', losses));
    }

    [Theory]
    [InlineData("image_embedding")]
    [InlineData("structure")]
    public void Draw_OfOneFileGivesTheSamePictures(string system)
    {
        string file = Trained(system);

        Assert.Equal(Draw(system, file, Cases())[1].Pixels.ToArray(), Draw(system, file, Cases())[1].Pixels.ToArray());
    }

    [Theory]
    [InlineData("image_embedding")]
    [InlineData("structure")]
    public void Load_GivesWhatWasSaved(string system)
    {
        using DisposeScope scope = NewDisposeScope();
        string file = _teacher.NewFile($"{system}-saved.safetensors");
        using ReferenceNetwork made = Create(system);
        using (no_grad())
        {
            foreach (TorchSharp.Modules.Parameter parameter in made.Parameters)
            {
                parameter.normal_(0, 0.1);
            }
        }
        made.Save(file);
        using ReferenceNetwork loaded = system == "structure"
            ? StructureNetwork.Load(_teacher.Folder, CPU, file)
            : ImageEmbeddingNetwork.Load(_teacher.Folder, CPU, file);

        TensorsEqual(Velocity(made, Reference(made), true), Velocity(loaded, Reference(made), true), 1e-5f);
    }

    [Theory]
    [InlineData("image_embedding")]
    [InlineData("structure")]
    public void Draw_HeedsTheReference(string system)
    {
        string file = Trained(system);
        StudyCase[] cases = Cases();

        byte[] with = Draw(system, file, [cases[0]])[0].Pixels.ToArray();
        byte[] other = Draw(system, file, [cases[0] with { Reference = _teacher.Pairs[2].Target }])[0].Pixels.ToArray();

        Assert.NotEqual(with, other);
    }

    [Theory]
    [InlineData("image_embedding")]
    [InlineData("structure")]
    public void Draw_OfACaseDoesNotDependOnItsBatch(string system)
    {
        string file = Trained(system);
        StudyCase[] cases = Cases();

        Picture together = Draw(system, file, cases)[1];
        Picture alone = Draw(system, file, [cases[1]])[0];

        Assert.InRange(together.Pixels.ToArray().Zip(alone.Pixels.ToArray(), (a, b) => Math.Abs(a - b)).Max(), 0, 2);
    }

    [Theory]
    [InlineData("image_embedding")]
    [InlineData("structure")]
    public void Train_GoesOnFromItsCheckpoint(string system)
    {
        string checkpoint = _teacher.NewFile($"{system}-state");
        string resumed = _teacher.NewFile($"{system}-resumed.safetensors");
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => Train(system, resumed, Short, [], checkpoint, new Stop(stop), stop.Token));
        Assert.True(Directory.Exists(checkpoint));

        Train(system, resumed, Short, [], checkpoint);

        string straight = _teacher.NewFile($"{system}-straight.safetensors");
        Train(system, straight, Short, []);
        Assert.Equal(File.ReadAllBytes(straight), File.ReadAllBytes(resumed));
        Assert.False(Directory.Exists(checkpoint));
    }

    [Theory]
    [InlineData("image_embedding")]
    [InlineData("structure")]
    public void TrainAndDraw_LeaveNoTensorBehind(string system) =>
        LiveTensors.AssertUnchanged(() =>
        {
            string file = _teacher.NewFile($"{system}-live.safetensors");
            Train(system, file, Budget with { Steps = 2 }, []);
            Draw(system, file, Cases());
        });

    [Fact]
    public void Draw_RefusesASizeThatTheStudyDoesNotDraw() =>
        Assert.Throws<ArgumentException>(
            () => StructureSystem.Draw(_teacher.Folder, CPU, Trained("structure"), Cases(), Quick with { Width = 2 * TinyModel.PanelSize }));

    // The loop reports every 50 steps and at the last: one that is cut off at its first report has half of its steps before it.
    private static readonly StudyBudget Short = Budget with { Steps = 55, Batch = 1 };

    private static StudyCase[] Cases() => SmallTeacher.Cases(subjects: 2, each: 1);

    private ReferenceNetwork Create(string system) =>
        system == "structure" ? StructureNetwork.Create(_teacher.Folder, CPU, 2, 1) : ImageEmbeddingNetwork.Create(_teacher.Folder, CPU, 2, 1);

    private string Trained(string system)
    {
        string file = _teacher.NewFile($"{system}.safetensors");
        if (!File.Exists(file))
        {
            Train(system, file, Budget, []);
        }
        return file;
    }

    private void Train(
        string system, string file, StudyBudget budget, List<float> losses, string? checkpoint = null, IProgress<TrainingProgress>? progress = null,
        CancellationToken token = default)
    {
        progress ??= new Losses(losses);
        if (system == "structure")
        {
            StructureSystem.Train(_teacher.Folder, CPU, _teacher.Pairs, budget, file, checkpoint, progress, token);
        }
        else
        {
            ImageEmbeddingSystem.Train(_teacher.Folder, CPU, _teacher.Pairs, budget, file, checkpoint, progress, token);
        }
    }

    private IReadOnlyList<Picture> Draw(string system, string file, StudyCase[] cases) => system == "structure"
        ? StructureSystem.Draw(_teacher.Folder, CPU, file, cases, Quick)
        : ImageEmbeddingSystem.Draw(_teacher.Folder, CPU, file, cases, Quick);

    private Tensor Reference(ReferenceNetwork network) => FrameData.Latents(network.Model, [_teacher.Reference]);

    /// <summary>Some velocity, the same for the same network.</summary>
    private static Tensor Velocity(ReferenceNetwork network, Tensor reference, bool given)
    {
        using IDisposable noGrad = no_grad();
        TextEmbedding text = network.Model.Text.Encode(["a blue creature"]);
        return network.Velocity(
            SmallTeacher.Noise(network.Model, 4), reference, full([1, 1, 1], given, ScalarType.Bool), text.Text, text.Pooled, full(1, 0.7), 3.5f);
    }

    private Tensor Plain()
    {
        using FluxModel plain = (FluxModel)DiffusionModel.Load(_teacher.Folder);
        return Plain(plain);
    }

    private static Tensor Plain(FluxModel plain)
    {
        using IDisposable noGrad = no_grad();
        TextEmbedding prompt = plain.Text.Encode(["a blue creature"]);
        return plain.Transformer.forward(
            SmallTeacher.Noise(plain, 4), null, prompt.Text, prompt.Pooled, full(1, 0.7), full(1, 3.5), SmallTeacher.ImageIds(),
            LatentPacking.TextIds(prompt.Text.shape[1]));
    }

    private static void TensorsEqual(Tensor expected, Tensor found, float most) => Assert.InRange((expected - found).abs().max().item<float>(), 0, most);

    private sealed class Losses(List<float> losses) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => losses.Add(value.Loss);
    }

    private sealed class Stop(CancellationTokenSource source) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => source.Cancel();
    }
}
