using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Models.Training.Optimizers;
using Dsd.Models.Training.Timesteps;
using Dsd.Testing;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Training;

public class LoraTrainerTests
{
    private static readonly LoraTrainingOptions Options = new()
    {
        Width = 32,
        Height = 32,
        Steps = 6,
        BatchSize = 2,
        LearningRate = 0.01,
        Seed = 3,
        Adapter = new LoraOptions { Rank = 2 },
    };

    [Fact]
    public void Train_ChangesTheAdapterAndTheConditionButNotTheModel()
    {
        using FluxModel model = Model();
        Dictionary<string, Tensor> before = model.Transformer.state_dict().ToDictionary(p => p.Key, p => p.Value.clone());
        using LoraAdapter adapter = new LoraTrainer(model, Options).Train(Pairs());
        Assert.Contains(adapter.Factors.Values, f => f.B.abs().max().item<float>() > 0);
        Assert.True(adapter.HasCondition);
        Assert.All(model.Transformer.state_dict(), p => TensorAssert.Equal(before[p.Key], p.Value));
    }

    [Fact]
    public void Train_WithTheSameSeed_GivesTheSameAdapter()
    {
        using FluxModel model = Model();
        using LoraAdapter first = new LoraTrainer(model, Options).Train(Pairs());
        using LoraAdapter second = new LoraTrainer(model, Options).Train(Pairs());
        Assert.All(first.Factors, f => TensorAssert.Equal(f.Value.B, second.Factors[f.Key].B));
    }

    [Fact]
    public void Train_GoesOnFromItsCheckpoint()
    {
        using TemporaryFolder folder = new();
        using FluxModel model = Model();
        LoraTrainingOptions options = Options with { Steps = 12, ReportEvery = 8 };
        using LoraAdapter whole = new LoraTrainer(model, options).Train(Pairs());
        options = options with { CheckpointFolder = folder.Path };
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => new LoraTrainer(model, options).Train(Pairs(), new CancelAtFirstReport(stop), stop.Token));
        using LoraAdapter resumed = new LoraTrainer(model, options).Train(Pairs());
        Assert.All(whole.Factors, f => TensorAssert.Equal(f.Value.B, resumed.Factors[f.Key].B));
    }

    [Fact]
    public void Train_OnTheEditAlone_LearnsSomethingElse()
    {
        using FluxModel model = Model();
        using LoraAdapter both = new LoraTrainer(model, Options).Train(Pairs());
        using LoraAdapter edit = new LoraTrainer(model, Options with { ReferenceWeight = 0 }).Train(Pairs());
        Assert.Contains(both.Factors, f => (f.Value.B - edit.Factors[f.Key].B).abs().max().item<float>() > 1e-4);
    }

    [Fact]
    public void Train_WithBatchesOneAfterTheOther_LearnsWhatOneLargeBatchDoes()
    {
        using FluxModel model = Model();
        using LoraAdapter large = new LoraTrainer(model, Options with { BatchSize = 4 }).Train(Pairs());
        using LoraAdapter parts = new LoraTrainer(model, Options with { BatchSize = 1, AccumulationSteps = 4 }).Train(Pairs());
        // As for many pairs below: AdamW makes more of last bits.
        Assert.All(large.Factors, f => TensorAssert.Close(f.Value.B, parts.Factors[f.Key].B, 3e-4));
    }

    /// <summary>Everything that has a state of its own at once, interrupted at several steps.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void Train_InterruptedWithEightBitsAverageDropoutAndAccumulation_GivesTheSameBits(int at)
    {
        using TemporaryFolder folder = new();
        using FluxModel model = Model();
        LoraTrainingOptions options = Options with
        {
            BatchSize = 1,
            AccumulationSteps = 2,
            AdapterDropout = 0.2,
            AverageDecay = 0.9,
            Optimizer = new EightBitAdamWOptions(),
            Schedule = LearningRateSchedule.Linear,
            WarmupSteps = 2,
            Timesteps = new ModeTimesteps(),
            Weighting = LossWeighting.Cosmap,
            TargetWeight = 2,
            ReportEvery = 1,
        };
        using LoraAdapter whole = new LoraTrainer(model, options).Train(Pairs());
        options = options with { CheckpointFolder = folder.Path };
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => new LoraTrainer(model, options).Train(Pairs(), new CancelAtReport(stop, at), stop.Token));
        using LoraAdapter resumed = new LoraTrainer(model, options).Train(Pairs());
        Assert.All(whole.Factors, f => TensorAssert.Equal(f.Value.A, resumed.Factors[f.Key].A));
        Assert.All(whole.Factors, f => TensorAssert.Equal(f.Value.B, resumed.Factors[f.Key].B));
        Assert.All(whole.Whole, w => TensorAssert.Equal(w.Value, resumed.Whole[w.Key]));
    }

    /// <summary>Somebody who looks on draws with the adapter as it stands, and changes nothing by it.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(99)]
    public void Look_DrawsWithTheAdapterAsItStands_AndChangesNothing(int recomputed)
    {
        using FluxModel model = Model();
        model.Network.RecomputedBlocks = Math.Min(recomputed, model.Network.Blocks);
        LoraTrainingOptions options = Options with { AdapterDropout = 0.5, AverageDecay = 0.9 };
        using LoraAdapter without = new LoraTrainer(model, options).Train(Pairs());
        List<(long Step, byte[] Pixels)> drawn = [];

        using LoraAdapter with = new LoraTrainer(model, options) { Look = (step, cancel) => drawn.Add((step, Drawn(model, cancel))), LookEvery = 2 }
            .Train(Pairs());

        // The last step's is the result.
        Assert.Equal([2, 4], drawn.Select(d => d.Step));
        Assert.NotEqual(drawn[0].Pixels, drawn[1].Pixels);
        Assert.All(without.Factors, f => TensorAssert.Equal(f.Value.A, with.Factors[f.Key].A));
        Assert.All(without.Factors, f => TensorAssert.Equal(f.Value.B, with.Factors[f.Key].B));
    }

    [Fact]
    public void Look_SeesWhatARunOfSoManyStepsGives_NothingDropped()
    {
        using FluxModel model = Model();
        LoraTrainingOptions options = Options with { AdapterDropout = 0.5, Schedule = LearningRateSchedule.Constant };
        List<byte[]> seen = [];
        new LoraTrainer(model, options) { Look = (_, cancel) => seen.Add(Drawn(model, cancel)), LookEvery = 4 }.Train(Pairs()).Dispose();

        using LoraAdapter adapter = new LoraTrainer(model, options with { Steps = 4 }).Train(Pairs());
        using LoraAttachment attached = adapter.Attach(model.Network);
        Assert.Equal(Drawn(model, default), Assert.Single(seen));
    }

    [Fact]
    public void Look_LeavesNoTensor_AndACancellationWithinItKeepsTheState()
    {
        using TemporaryFolder folder = new();
        using FluxModel model = Model();
        LiveTensors.AssertUnchanged(() => new LoraTrainer(model, Options)
        {
            Look = (step, cancel) =>
            {
                // What is left lying there goes too.
                _ = zeros(3);
                Drawn(model, cancel);
            },
            LookEvery = 1,
        }.Train(Pairs()).Dispose());

        using CancellationTokenSource stop = new();
        LoraTrainingOptions kept = Options with { CheckpointFolder = folder.Path };
        Assert.Throws<OperationCanceledException>(() => new LoraTrainer(model, kept)
        {
            Look = (_, cancel) =>
            {
                stop.Cancel();
                cancel.ThrowIfCancellationRequested();
            },
            LookEvery = 4,
        }.Train(Pairs(), null, stop.Token));
        List<long> looks = [];
        long began = 0;
        new LoraTrainer(model, kept) { GoesOn = step => began = step, Look = (step, _) => looks.Add(step), LookEvery = 2 }.Train(Pairs()).Dispose();
        // The look that was cut off is made good.
        Assert.Equal((4L, 4L), (began, Assert.Single(looks)));
    }

    [Fact]
    public void Train_WithDropout_LearnsSomethingElse()
    {
        using FluxModel model = Model();
        using LoraAdapter all = new LoraTrainer(model, Options).Train(Pairs());
        using LoraAdapter some = new LoraTrainer(model, Options with { AdapterDropout = 0.5 }).Train(Pairs());
        Assert.Contains(all.Factors, f => (f.Value.B - some.Factors[f.Key].B).abs().max().item<float>() > 1e-4);
    }

    [Fact]
    public void Train_RefusesACheckpointOfOtherOptions()
    {
        using TemporaryFolder folder = new();
        using FluxModel model = Model();
        LoraTrainingOptions options = Options with { CheckpointFolder = folder.Path, Steps = 2 };
        new LoraTrainer(model, options).Train(Pairs()).Dispose();
        ArgumentException e = Assert.Throws<ArgumentException>(() => new LoraTrainer(model, options with { Guidance = 2 }).Train(Pairs()));
        Assert.Contains("Guidance was 1 and is 2", e.Message);
    }

    [Fact]
    public void Train_EncodesManyPairsAsItDoesOne()
    {
        using FluxModel model = Model();
        // Small frames are encoded together; the same pair thrice must be learnt as it is alone.
        TrainingPair pair = Pairs().First();
        using LoraAdapter one = new LoraTrainer(model, Options).Train([pair]);
        using LoraAdapter three = new LoraTrainer(model, Options).Train([pair, pair, pair]);
        // Sums in another order differ in their last bits, and AdamW divides by gradients that are as small: 1.1e-4 was seen on one processor.
        // Another pair would be off by the learning rate.
        Assert.All(one.Factors, f => TensorAssert.Close(f.Value.B, three.Factors[f.Key].B, 3e-4));
    }

    [Fact]
    public void Train_LeavesNoTensorBehind()
    {
        using FluxModel model = Model();
        LiveTensors.AssertUnchanged(() => new LoraTrainer(model, Options).Train(Pairs()).Dispose());
    }

    [Fact]
    public void Train_RefusesAnEmptyDataSet()
    {
        using FluxModel model = Model();
        ArgumentException e = Assert.Throws<ArgumentException>(() => new LoraTrainer(model, Options).Train([]));
        Assert.Contains("no pair", e.Message);
    }

    [Fact]
    public void Constructor_RefusesATransformerWithoutCondition()
    {
        using FluxModel model = (FluxModel)DiffusionModel.Load(Fixtures.Path("tiny-flux"));
        Assert.Throws<ArgumentException>(() => new LoraTrainer(model, Options));
    }

    private static byte[] Drawn(FluxModel model, CancellationToken cancel)
    {
        // Not disposed, since the model would be too.
        DsdPipeline pipeline = new(model);
        Picture reference = Pairs().First().Reference;
        return pipeline.Generate([new DsdRequest(reference, "a fox", 1)], new DsdOptions { Width = 32, Height = 32, Steps = 2 }, null, cancel)[0].EncodePng();
    }

    private static FluxModel Model() => (FluxModel)DiffusionModel.LoadConditional(Fixtures.Path("tiny-flux"));

    private static IEnumerable<TrainingPair> Pairs() =>
        Enumerable.Range(0, 3).Select(i => new TrainingPair(Plain((byte)(40 * i)), Plain((byte)(255 - 40 * i)), $"a picture {i}"));

    private sealed class CancelAtReport(CancellationTokenSource stop, long step) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step == step)
            {
                stop.Cancel();
            }
        }
    }

    private sealed class CancelAtFirstReport(CancellationTokenSource stop) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => stop.Cancel();
    }

    private static Picture Plain(byte grey)
    {
        byte[] pixels = new byte[3 * 32 * 32];
        Array.Fill(pixels, grey);
        return new Picture(32, 32, pixels);
    }
}
