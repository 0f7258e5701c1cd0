using Dsd.Models.Layers;
using Dsd.Models.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training;

/// <summary>The loss of a canvas of two frames: a weighted mean of both frames' squared errors, and of the examples' by their noise levels.</summary>
internal static class CanvasLoss
{
    /// <summary>A scalar in 32-bit precision.</summary>
    /// <param name="predicted">What the model said: [batch, tokens, channels], row by row over both frames.</param>
    /// <param name="velocity">What it should have said, the same shape.</param>
    /// <param name="canvas">The canvas.</param>
    /// <param name="order">How the frames lie on it.</param>
    /// <param name="reference">Weight of the first frame's mean.</param>
    /// <param name="target">Weight of the second frame's mean.</param>
    /// <param name="weights">Weight of each example; null where all count the same.</param>
    public static Tensor Of(
        Tensor predicted, Tensor velocity, Canvas canvas, FrameOrder order, double reference, double target, IReadOnlyList<float>? weights = null)
    {
        using DisposeScope scope = NewDisposeScope();
        if (reference == target)
        {
            return Mean(predicted, velocity, weights).MoveToOuterDisposeScope();
        }
        Tensor sum = zeros([], device: predicted.device);
        foreach ((double weight, bool second) in new[] { (reference, false), (target, true) })
        {
            if (weight > 0)
            {
                Tensor frame = Mean(Frame(predicted, canvas, order, second), Frame(velocity, canvas, order, second), weights);
                sum = sum.Plus(frame.Times(weight / (reference + target)));
            }
        }
        return sum.MoveToOuterDisposeScope();
    }

    /// <summary>The weight of an example of a noise level.</summary>
    public static float Weight(LossWeighting weighting, float sigma) => weighting switch
    {
        LossWeighting.None => 1,
        LossWeighting.SigmaSqrt => 1 / (sigma * sigma),
        LossWeighting.Cosmap => (float)(2 / (Math.PI * (1 - 2.0 * sigma + 2.0 * sigma * sigma))),
        _ => throw new ArgumentOutOfRangeException(nameof(weighting), weighting, "There is no such weighting."),
    };

    /// <summary>The tokens of one frame, of a canvas' [batch, tokens, channels].</summary>
    public static Tensor Frame(Tensor tokens, Canvas canvas, FrameOrder order, bool second)
    {
        long columns = canvas.LatentWidth / canvas.Patch;
        return order == FrameOrder.Below
            ? tokens.narrow(1, second ? canvas.Tokens / 2 : 0, canvas.Tokens / 2)
            : tokens.unflatten(1, canvas.Tokens / columns, columns).narrow(2, second ? columns / 2 : 0, columns / 2).flatten(1, 2);
    }

    private static Tensor Mean(Tensor predicted, Tensor velocity, IReadOnlyList<float>? weights)
    {
        if (weights is null)
        {
            return FlowMatching.Loss(predicted, velocity);
        }
        Tensor each = (predicted.to(ScalarType.Float32) - velocity.to(ScalarType.Float32)).Squared().flatten(1).mean([1]); // [batch]
        return (each * tensor(weights.ToArray(), device: each.device)).mean();
    }
}
