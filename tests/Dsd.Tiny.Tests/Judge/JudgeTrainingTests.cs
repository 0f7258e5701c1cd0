using Dsd.Models.Training;
using Dsd.Testing;
using Dsd.Tiny.Judge;
using Dsd.Tiny.Training;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Tiny.Tests.Judge;

[Collection("Torch's random numbers")]
public class JudgeTrainingTests
{
    private static readonly JudgeTrainingOptions Options = new()
    {
        Folder = "unused",
        Config = TestJudge.Small,
        Steps = 40,
        Batch = 16,
        WarmupSteps = 4,
        AverageDecay = 0,
        HeldOutPairs = 16,
        LearningRate = 5e-3,
    };

    [Fact]
    public void Loss_FallsWhenABatchIsLearnt()
    {
        using DisposeScope scope = NewDisposeScope();
        using JudgeNetwork network = TestJudge.Network();
        (Tensor images, Tensor values) = new PanelBatches(1, 16, TestJudge.Small.ImageSize).Take(0, CPU);
        using TrainingLoop loop = new(network.parameters(), new TrainingLoopOptions { Steps = 60, PeakLearningRate = 1e-2 });
        float before = network.Loss(images, values).item<float>();
        loop.Run(_ => network.Loss(images, values));
        Assert.InRange(network.Loss(images, values).item<float>(), 0, 0.7f * before);
    }

    [Fact]
    public void Run_WritesAJudgeThatLoads()
    {
        using TemporaryFolder folder = new();
        JudgeTrainingReport report = JudgeTraining.Run(Options with { Folder = folder.Path, Steps = 2 });
        Assert.True(report.Complete);
        Assert.Equal(TestJudge.Small.Attributes.Select(kind => kind.Name), report.Accuracy.Keys);
        Assert.Equal(["config.json", "model.safetensors"], Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName).Order());
        TinyJudge.Load(folder.Path).Dispose();
    }

    [Fact]
    public void Run_GoesOnFromItsCheckpoint()
    {
        using TemporaryFolder whole = new();
        using TemporaryFolder parts = new();
        JudgeTrainingOptions options = Options with { Folder = whole.Path, Steps = 4, Batch = 8, Config = TestJudge.Small with { ImageSize = 96 } };
        JudgeTraining.Run(options);
        Assert.False(JudgeTraining.Run(options with { Folder = parts.Path, MaxTime = TimeSpan.Zero }).Complete);
        Assert.True(File.Exists(parts.File("checkpoint.safetensors")));
        Assert.True(JudgeTraining.Run(options with { Folder = parts.Path }).Complete);
        Assert.Equal(File.ReadAllBytes(whole.File("model.safetensors")), File.ReadAllBytes(parts.File("model.safetensors")));
    }

    [Fact]
    public void Run_LeavesACheckpointWhenCancelled()
    {
        using TemporaryFolder folder = new();
        Assert.ThrowsAny<OperationCanceledException>(() => JudgeTraining.Run(Options with { Folder = folder.Path }, null, new CancellationToken(true)));
        Assert.Equal(["checkpoint.safetensors"], Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName));
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
}
