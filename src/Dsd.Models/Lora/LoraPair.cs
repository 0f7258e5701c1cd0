using Dsd.Models.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Lora;

/// <summary>
/// The two factors over one layer, A [rank, inputs] and B [outputs, rank], and what their product is multiplied by: <c>scale · B·(A·x)</c>.
/// They may be kept in float32 over a network in bfloat16: they are rounded for the product, and learn in full.
/// </summary>
internal sealed record LoraPair(Parameter A, Parameter B, float Scale) : ILinearAdapter
{
    /// <summary>Drops some of the inputs while it is learning; null is never.</summary>
    public LoraDropout? Dropout { get; init; }

    /// <summary>Which of an adapter's pairs it is, for <see cref="Dropout"/>.</summary>
    public int Place { get; init; }

    /// <inheritdoc/>
    // In place where that can be: another sum would move as much memory as the layer itself.
    public Tensor AddTo(Tensor y, Tensor x, Tensor? beside = null)
    {
        Tensor low = beside is null ? Down(x) : Down(x, beside);
        return y.addmm_(low, B.to(y.dtype).t(), 1, Scale);
    }

    /// <summary><c>A·x</c> of x [rows, inputs]: [rows, rank].</summary>
    public Tensor Down(Tensor x)
    {
        if (Dropout is not { Step: not null })
        {
            return functional.linear(x, A.to(x.dtype));
        }
        Tensor left = Dropout.Left(Place, x.shape[0], x.shape[1], x.device);
        return functional.linear(x * left, A.to(x.dtype)).Times(Dropout.Factor);
    }

    // The same of x whose channels come in two parts, [rows, some inputs] and [rows, the others].
    private Tensor Down(Tensor first, Tensor second)
    {
        long[] sizes = [first.shape[^1], second.shape[^1]];
        Tensor[] a = A.to(first.dtype).split(sizes, -1);
        if (Dropout is not { Step: not null })
        {
            return functional.linear(first, a[0]).addmm_(second, a[1].t(), 1, 1);
        }
        Tensor[] left = Dropout.Left(Place, first.shape[0], sizes[0] + sizes[1], first.device).split(sizes, -1);
        return functional.linear(first * left[0], a[0]).addmm_(second * left[1], a[1].t(), 1, 1).Times(Dropout.Factor);
    }
}
