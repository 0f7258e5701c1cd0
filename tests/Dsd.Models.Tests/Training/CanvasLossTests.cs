using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Tests.Training;

public class CanvasLossTests
{
    // Two rows of two frames of three columns: 0 … 5 and 6 … 11.
    private static readonly Canvas Beside = new(width: 6 * 16, height: 2 * 16, factor: 8, channels: 1);
    private static readonly Canvas Below = new(width: 3 * 16, height: 4 * 16, factor: 8, channels: 1);

    [Fact]
    public void Frame_IsHalfOfEachRow_WhereFramesLieBeside()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor tokens = arange(12, dtype: float32).reshape(1, 12, 1);
        Assert.Equal([0, 1, 2, 6, 7, 8], CanvasLoss.Frame(tokens, Beside, FrameOrder.Beside, second: false).data<float>().ToArray());
        Assert.Equal([3, 4, 5, 9, 10, 11], CanvasLoss.Frame(tokens, Beside, FrameOrder.Beside, second: true).data<float>().ToArray());
    }

    [Fact]
    public void Frame_IsHalfOfTheRows_WhereFramesLieBelowEachOther()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor tokens = arange(12, dtype: float32).reshape(1, 12, 1);
        Assert.Equal([0, 1, 2, 3, 4, 5], CanvasLoss.Frame(tokens, Below, FrameOrder.Below, second: false).data<float>().ToArray());
        Assert.Equal([6, 7, 8, 9, 10, 11], CanvasLoss.Frame(tokens, Below, FrameOrder.Below, second: true).data<float>().ToArray());
    }

    [Theory]
    [InlineData(1, 1, 2.5)] // (1 + 4) / 2
    [InlineData(0, 1, 4)]
    [InlineData(1, 3, 3.25)] // (1 · 1 + 3 · 4) / 4
    [InlineData(2, 6, 3.25)]
    public void Of_IsTheWeightedMeanOfBothFrames(double reference, double target, double expected)
    {
        using DisposeScope scope = NewDisposeScope();
        // The first frame is off by 1, the second by 2.
        Tensor predicted = cat([ones(1, 6, 1), ones(1, 6, 1) * 2], 1);
        Tensor loss = CanvasLoss.Of(predicted, zeros(1, 12, 1), Below, FrameOrder.Below, reference, target);
        Assert.Equal(expected, loss.item<float>(), 1e-6);
        Tensor weighted = CanvasLoss.Of(predicted, zeros(1, 12, 1), Below, FrameOrder.Below, reference, target, [3f]);
        Assert.Equal(3 * expected, weighted.item<float>(), 1e-5);
    }

    [Fact]
    public void Of_WithWeights_WeighsEachExample()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor predicted = cat([ones(1, 12, 1), ones(1, 12, 1) * 2], 0);
        Assert.Equal((0.5 * 1 + 2 * 4) / 2, CanvasLoss.Of(predicted, zeros(2, 12, 1), Below, FrameOrder.Below, 1, 1, [0.5f, 2f]).item<float>(), 1e-5);
    }

    [Theory]
    [InlineData(LossWeighting.None, 0.3, 1)]
    [InlineData(LossWeighting.SigmaSqrt, 0.5, 4)]
    [InlineData(LossWeighting.SigmaSqrt, 0.25, 16)]
    [InlineData(LossWeighting.Cosmap, 0.5, 1.2732395447)] // 4 / π
    [InlineData(LossWeighting.Cosmap, 0, 0.6366197724)] // 2 / π
    [InlineData(LossWeighting.Cosmap, 0.25, 1.0185916358)] // 2 / (0.625 π)
    public void Weight_IsDiffusers(LossWeighting weighting, float sigma, double expected) =>
        Assert.Equal(expected, CanvasLoss.Weight(weighting, sigma), 1e-5);

    [Fact]
    public void Of_LeavesNoTensorBehind()
    {
        using Tensor predicted = randn(2, 12, 1);
        using Tensor velocity = randn(2, 12, 1);
        LiveTensors.AssertUnchanged(() => CanvasLoss.Of(predicted, velocity, Below, FrameOrder.Below, 1, 2, [1f, 2f]).Dispose());
    }
}
