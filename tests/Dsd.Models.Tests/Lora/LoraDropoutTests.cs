using Dsd.Models.Lora;
using Dsd.Testing;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Lora;

public class LoraDropoutTests
{
    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.9)]
    public void Left_DropsItsShare_InEachRowAndChannel(double rate)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor left = new LoraDropout(rate, seed: 3) { Step = 7 }.Left(2, 400, 300, CPU).to(ScalarType.Float32);
        Assert.Equal(1 - rate, left.mean().item<float>(), 0.01);
        // Means of independent elements scatter by √(p (1 − p) / n): rows and channels must scatter as much, neither more nor less.
        double expected = Math.Sqrt(rate * (1 - rate));
        Assert.InRange(left.mean([1]).std().item<float>() * Math.Sqrt(300) / expected, 0.85, 1.15);
        Assert.InRange(left.mean([0]).std().item<float>() * Math.Sqrt(400) / expected, 0.85, 1.15);
        // And neighbours must not know of each other.
        Tensor centred = left - left.mean();
        Assert.InRange((centred[.., 1..] * centred[.., ..^1]).mean().item<float>() / (expected * expected), -0.02, 0.02);
        Assert.InRange((centred[1..] * centred[..^1]).mean().item<float>() / (expected * expected), -0.02, 0.02);
    }

    [Fact]
    public void Left_DependsOnSeedStepAndLayer_AndOnNothingElse()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor Left(long seed, long step, int layer) => new LoraDropout(0.5, seed) { Step = step }.Left(layer, 20, 30, CPU);
        TensorAssert.Equal(Left(1, 2, 3), Left(1, 2, 3));
        Assert.All(new[] { Left(2, 2, 3), Left(1, 3, 3), Left(1, 2, 4) }, other =>
            Assert.InRange(other.equal(Left(1, 2, 3)).to(ScalarType.Float32).mean().item<float>(), 0.4f, 0.6f));
    }

    [Fact]
    public void AddTo_InTwoParts_DropsWhatItDropsInOne_AndNothingWithoutAStep()
    {
        using DisposeScope scope = NewDisposeScope();
        LoraDropout dropout = new(0.5, 1);
        LoraPair pair = new(new Parameter(randn(2, 10)), new Parameter(randn(6, 2)), 0.5f) { Dropout = dropout, Place = 4 };
        LoraPair plain = pair with { Dropout = null };
        Tensor x = randn(5, 10);
        Tensor[] parts = x.split([4, 6], 1);
        using IDisposable noGrad = no_grad();
        TensorAssert.Equal(plain.AddTo(zeros(5, 6), x), pair.AddTo(zeros(5, 6), x));
        dropout.Step = 0;
        Tensor expected = plain.AddTo(zeros(5, 6), x * dropout.Left(4, 5, 10, CPU) * 2);
        TensorAssert.Close(expected, pair.AddTo(zeros(5, 6), x), 1e-6);
        TensorAssert.Close(expected, pair.AddTo(zeros(5, 6), parts[0], parts[1]), 1e-6);
    }
}
