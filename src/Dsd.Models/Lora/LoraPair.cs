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
    /// <inheritdoc/>
    // In place where that can be: another sum would move as much memory as the layer itself.
    public Tensor AddTo(Tensor y, Tensor x, Tensor? beside = null)
    {
        Tensor low = beside is null ? Down(x) : Down(x, beside);
        return y.addmm_(low, B.to(y.dtype).t(), 1, Scale);
    }

    /// <summary><c>A·x</c> of x [rows, inputs]: [rows, rank].</summary>
    public Tensor Down(Tensor x) => functional.linear(x, A.to(x.dtype));

    // The same of x whose channels come in two parts, [rows, some inputs] and [rows, the others].
    private Tensor Down(Tensor first, Tensor second)
    {
        Tensor[] a = A.to(first.dtype).split([first.shape[^1], second.shape[^1]], -1);
        return functional.linear(first, a[0]).addmm_(second, a[1].t(), 1, 1);
    }
}
