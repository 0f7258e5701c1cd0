using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Lora;

/// <summary>
/// The two factors over one layer, A [rank, inputs] and B [outputs, rank], and what their product is multiplied by. Stacked factors,
/// A [adapters, rank, inputs] and B [adapters, outputs, rank], are many adapters at once: the batch holds equal shares for each, one after another, and x and y are [adapters, rows, …] then; they lie alone over their layer.
/// </summary>
internal sealed record LoraPair(Parameter A, Parameter B, float Scale)
{
    public bool IsStacked => A.dim() == 3;

    /// <summary><c>A·x</c> of x [rows, inputs]: [rows, rank].</summary>
    public Tensor Down(Tensor x)
    {
        Tensor a = A.to(x.dtype);
        return IsStacked ? x.bmm(a.transpose(1, 2)) : functional.linear(x, a);
    }

    /// <summary>The same of x whose channels come in two parts, [rows, some inputs] and [rows, the others].</summary>
    public Tensor Down(Tensor first, Tensor second)
    {
        Tensor[] a = A.to(first.dtype).split([first.shape[^1], second.shape[^1]], -1);
        return IsStacked
            ? first.bmm(a[0].transpose(1, 2)) + second.bmm(a[1].transpose(1, 2))
            : functional.linear(first, a[0]).addmm_(second, a[1].t(), 1, 1);
    }

    /// <summary><c>y + scale · B·low</c> of y [rows, outputs], which is changed in place where that can be: another sum would move as much memory as the layer itself.</summary>
    public Tensor AddTo(Tensor y, Tensor low)
    {
        Tensor b = B.to(y.dtype);
        return IsStacked ? y + low.bmm(b.transpose(1, 2)) * Scale : y.addmm_(low, b.t(), 1, Scale);
    }
}
