using Dsd.Lab.Judge;
using Dsd.Lab.Tests.Training;
using Dsd.Lab.Training;
using Dsd.Models.Training;
using Dsd.Testing;
using Dsd.Tiny;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Judge;

[Collection("Torch's random numbers")]
public class JudgeTrainingTests
{
    private static readonly JudgeConfig Small = JudgeConfig.ForWorld with { ImageSize = 32, Channels = [8, 16, 16] };

    private static readonly JudgeTrainingOptions Options = new()
    {
        Folder = "unused",
        Config = Small,
        Steps = 40,
        Batch = 16,
        WarmupSteps = 4,
        AverageDecay = 0,
        HeldOutPairs = 16,
        LearningRate = 5e-3,
    };

    [Fact]
    public void Loss_StartsNearThatOfGuessing()
    {
        using DisposeScope scope = NewDisposeScope();
        using JudgeNetwork network = Network();
        double guessing = Subject.Kinds.Sum(kind => Math.Log(kind.Count));
        Tensor loss = JudgeTraining.Loss(network, rand(4, 3, 32, 32) * 2 - 1, zeros(4, Subject.Kinds.Count, dtype: ScalarType.Int64));
        Assert.InRange(loss.item<float>(), 0.7 * guessing, 1.3 * guessing);
    }

    [Fact]
    public void Loss_LeavesNoTensorBehind()
    {
        using JudgeNetwork network = Network();
        void Once()
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable noGrad = no_grad();
            JudgeTraining.Loss(network, zeros(2, 3, 32, 32), zeros(2, Subject.Kinds.Count, dtype: ScalarType.Int64));
        }
        Once();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Once();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Loss_FallsWhenABatchIsLearnt()
    {
        using DisposeScope scope = NewDisposeScope();
        using JudgeNetwork network = Network();
        (Tensor images, Tensor values) = new PanelBatches(1, 16, Small.ImageSize).Take(0, CPU);
        using TrainingLoop loop = new(network.parameters(), new TrainingLoopOptions { Steps = 60, PeakLearningRate = 1e-2 });
        float before = JudgeTraining.Loss(network, images, values).item<float>();
        loop.Run(_ => JudgeTraining.Loss(network, images, values));
        Assert.InRange(JudgeTraining.Loss(network, images, values).item<float>(), 0, 0.7f * before);
    }

    [Fact]
    public void Run_WritesAJudgeThatLoads()
    {
        using TemporaryFolder folder = new();
        JudgeTrainingReport report = JudgeTraining.Run(Options with { Folder = folder.Path, Steps = 2 });
        Assert.True(report.Complete);
        Assert.Equal(Small.Attributes.Select(kind => kind.Name), report.Accuracy.Keys);
        Assert.Equal(["config.json", "model.safetensors"], Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName).Order());
        TinyJudge.Load(folder.Path).Dispose();
    }

    [Fact]
    public void Run_GoesOnFromItsCheckpoint()
    {
        using TemporaryFolder whole = new();
        using TemporaryFolder parts = new();
        JudgeTrainingOptions options = Options with { Folder = whole.Path, Steps = 4, Batch = 8, Config = Small with { ImageSize = TinyModel.PanelSize } };
        JudgeTraining.Run(options);
        Assert.False(JudgeTraining.Run(options with { Folder = parts.Path, MaxTime = TimeSpan.Zero }).Complete);
        Assert.True(Directory.Exists(parts.File("checkpoints")));
        Assert.True(JudgeTraining.Run(options with { Folder = parts.Path }).Complete);
        TrainedWeights.AssertSame(whole.File("model.safetensors"), parts.File("model.safetensors"));
    }

    [Fact]
    public void Run_LeavesACheckpointWhenCancelled()
    {
        using TemporaryFolder folder = new();
        Assert.ThrowsAny<OperationCanceledException>(() => JudgeTraining.Run(Options with { Folder = folder.Path }, null, new CancellationToken(true)));
        Assert.Equal(["checkpoints"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Run_RefusesAttributesThatCannotBeDrawn()
    {
        JudgeConfig other = new() { Attributes = [new AttributeKind("metal", ["Gold", "Silver"])] };
        Assert.Contains("Attributes", Assert.Throws<ArgumentException>(() => JudgeTraining.Run(Options with { Config = other })).Message);
    }

    [Fact]
    public void Batches_DependOnTheirNumberAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        PanelBatches first = new(3, 4, 32);
        first.Take(0, CPU);
        (Tensor images, Tensor values) = first.Take(1, CPU);
        (Tensor again, Tensor same) = new PanelBatches(3, 4, 32).Take(1, CPU);
        Assert.True(images.equal(again).all().item<bool>() && values.equal(same).all().item<bool>());
    }

    private static JudgeNetwork Network()
    {
        random.manual_seed(1);
        return new JudgeNetwork(Small);
    }
}
