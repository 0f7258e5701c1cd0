using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Lora;

/// <summary>What an adapter adds to one linear layer: <c>W + alpha / rank · B·A</c>.</summary>
/// <param name="A">[rank, inputs], on the CPU. It belongs to its adapter.</param>
/// <param name="B">[outputs, rank], on the CPU. It belongs to its adapter.</param>
/// <param name="Alpha">What the product is multiplied by, before it is divided by the rank.</param>
public sealed record LoraFactors(Tensor A, Tensor B, float Alpha)
{
    /// <summary>The inner dimension of the two factors.</summary>
    public int Rank => (int)A.shape[0];

    /// <summary>What the product is multiplied by: alpha over rank.</summary>
    public float Scale => Alpha / Rank;

    /// <summary>
    /// Merges: adds <c>scale · alpha / rank · B·A</c> to a layer's weights, or to a part of them, so that no layer need be in memory whole.
    /// </summary>
    /// <param name="weight">[outputs, inputs], or some rows and columns of it: single precision, on any device. It is changed.</param>
    /// <param name="scale">Strength: 1 is as trained.</param>
    /// <param name="firstOutput">The output that the first row stands for.</param>
    /// <param name="firstInput">The input that the first column stands for.</param>
    /// <exception cref="ArgumentException">The weights have another shape or type.</exception>
    public void AddTo(Tensor weight, float scale = 1, long firstOutput = 0, long firstInput = 0)
    {
        ArgumentNullException.ThrowIfNull(weight);
        long[] shape = weight.shape;
        if (shape.Length != 2 || weight.dtype != ScalarType.Float32 || firstOutput < 0 || firstOutput + shape[0] > B.shape[0]
            || firstInput < 0 || firstInput + shape[1] > A.shape[1])
        {
            throw new ArgumentException(
                $"Factors of {A.shape[1]} inputs and {B.shape[0]} outputs cannot be added to {weight.dtype} [{string.Join(", ", shape)}] "
                    + $"from output {firstOutput} and input {firstInput} on.",
                nameof(weight));
        }
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor a = A.narrow(1, firstInput, shape[1]).to(ScalarType.Float32, weight.device);
        Tensor b = B.narrow(0, firstOutput, shape[0]).to(ScalarType.Float32, weight.device);
        weight.addmm_(b, a, 1, scale * Scale);
    }
}
