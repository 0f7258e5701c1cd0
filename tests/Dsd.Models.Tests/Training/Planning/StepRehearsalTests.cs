using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Tests.Flux;
using Dsd.Models.Training;
using Dsd.Models.Training.Planning;
using Dsd.Testing;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Training.Planning;

public sealed class StepRehearsalTests
{
    /// <summary>Where each block of a kind takes the same, the sum is exact, however few blocks were timed.</summary>
    [Theory]
    [InlineData(19, 38, 3)]
    [InlineData(2, 7, 2)]
    [InlineData(1, 1, 1)]
    [InlineData(0, 5, 2)]
    public void TheSecondsOfAllBlocks_FollowFromThoseOfAFew(int doubles, int singles, int networks)
    {
        List<int[]> timed = [];
        double Seconds(int[] blocks)
        {
            timed.Add(blocks);
            return 0.01 + (0.006 * blocks[0]) + (0.0035 * blocks[1]);
        }

        double all = StepRehearsal.Extrapolate([doubles, singles], [2, 3], [2, 4], Seconds);

        Assert.Equal(0.01 + (0.006 * doubles) + (0.0035 * singles), all, 1e-9);
        Assert.Equal(networks, timed.Count);
        Assert.All(timed, t => Assert.True(t[0] <= Math.Min(4, doubles) && t[1] <= Math.Min(7, singles)));
    }

    [Fact]
    public void ALayerOfAFewBlocks_HasWhatMostOfItsKindHave()
    {
        Dictionary<string, (long, float)> adapted = new() { ["b.0.q"] = (4, 4), ["b.1.q"] = (8, 8), ["b.2.q"] = (8, 8), ["b.1.k"] = (8, 8), ["end"] = (2, 1) };
        StepRehearsal rehearsal = Rehearsal(adapted);

        Assert.Equal((8, 8), rehearsal.Over("b.0.q", 3, i => $"b.{i}.q"));
        Assert.Null(rehearsal.Over("b.0.k", 3, i => $"b.{i}.k"));
        Assert.Equal((2, 1), rehearsal.Over("end", 0, _ => "no"));
        Assert.Null(rehearsal.Over("other", 0, _ => "no"));
    }

    /// <summary>On the CPU, where plans tell no seconds: that a step of each network runs, with dropout and whole condition, and leaves nothing.</summary>
    [Fact]
    public void ANetworkOfAFewBlocks_IsTimed() => LiveTensors.AssertUnchanged(() =>
    {
        FluxConfig config = FluxFixture.Tiny with { Conditional = true };
        TrainingLoad load = FluxTraining.Load(config);
        Dictionary<string, (long, float)> adapted = LoraLayers.Of([.. load.Layers.Keys], new LoraOptions { Rank = 2 }, load.AdapterTargets)
            .ToDictionary(a => a.Name, a => (a.Rank, a.Alpha));

        double seconds = FluxTraining.Rehearse(config, Rehearsal(adapted) with { Dropout = 0.1 }, awakening: 1, warmUp: 1, steps: 2);

        Assert.InRange(seconds, 1e-5, 60);
    });

    private static StepRehearsal Rehearsal(Dictionary<string, (long, float)> adapted) => new()
    {
        Setting = TrainingSetting.Recomputed,
        Device = CPU,
        DType = ScalarType.Float32,
        Adapted = adapted,
        TrainsCondition = true,
        Dropout = 0,
        Loop = new TrainingLoopOptions { Steps = 1, PeakLearningRate = 1e-3, AccumulationSteps = 2, AverageDecay = 0.9 },
        ImageTokens = 8,
        TextTokens = 4,
        BatchSize = 2,
    };
}
