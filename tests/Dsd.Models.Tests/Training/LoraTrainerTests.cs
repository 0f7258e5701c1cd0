using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
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
        LoraTrainingOptions options = Options with { Steps = 60 };
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
