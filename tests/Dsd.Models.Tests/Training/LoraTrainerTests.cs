using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Testing;
using TorchSharp;
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
        options = options with { Checkpoint = folder.File("lora.safetensors") };
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => new LoraTrainer(model, options).Train(Pairs(), new CancelAtFirstReport(stop), stop.Token));
        using LoraAdapter resumed = new LoraTrainer(model, options).Train(Pairs());
        Assert.All(whole.Factors, f => TensorAssert.Equal(f.Value.B, resumed.Factors[f.Key].B));
    }

    [Fact]
    public void CountedTokens_OfTheEditAlone_AreThoseOfTheRightFrame()
    {
        using DisposeScope scope = NewDisposeScope();
        // Two rows of two frames of three columns: 0 … 5 and 6 … 11.
        Tensor tokens = arange(12, dtype: float32).reshape(1, 12, 1);
        Canvas canvas = new(width: 6 * 16, height: 2 * 16, factor: 8, channels: 1);

        Assert.Equal([3, 4, 5, 9, 10, 11], LoraTrainer.CountedTokens(tokens, canvas, FrameOrder.Beside, FrameLoss.EditOnly).data<float>().ToArray());
        Assert.Equal(12, LoraTrainer.CountedTokens(tokens, canvas, FrameOrder.Beside, FrameLoss.Both).numel());
    }

    [Fact]
    public void CountedTokens_OfTheEditAlone_AreThoseOfTheLowerFrame_WhereFramesLieBelowEachOther()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor tokens = arange(12, dtype: float32).reshape(1, 12, 1);
        Canvas canvas = new(width: 3 * 16, height: 4 * 16, factor: 8, channels: 1);

        Assert.Equal([6, 7, 8, 9, 10, 11], LoraTrainer.CountedTokens(tokens, canvas, FrameOrder.Below, FrameLoss.EditOnly).data<float>().ToArray());
    }

    [Fact]
    public void Train_OnTheEditAlone_LearnsSomethingElse()
    {
        using FluxModel model = Model();
        using LoraAdapter both = new LoraTrainer(model, Options).Train(Pairs());
        using LoraAdapter edit = new LoraTrainer(model, Options with { Frames = FrameLoss.EditOnly }).Train(Pairs());
        Assert.Contains(both.Factors, f => (f.Value.B - edit.Factors[f.Key].B).abs().max().item<float>() > 1e-4);
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
