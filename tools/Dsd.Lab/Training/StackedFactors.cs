using Dsd.Models.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>
/// The factors of many adapters over one layer, A [adapters, rank, inputs] and B [adapters, outputs, rank]. The batch holds equal shares for each of
/// them, one after another.
/// </summary>
internal sealed record StackedFactors(Parameter A, Parameter B) : ILinearAdapter
{
    /// <inheritdoc/>
    public Tensor AddTo(Tensor y, Tensor x, Tensor? beside = null)
    {
        Tensor a = A.to(x.dtype).transpose(1, 2); // [adapters, inputs, rank]
        Tensor low = beside is null ? Shares(x).bmm(a) : DownOfTwo(x, beside, a); // [adapters, share, rank]
        return Shares(y).Plus(low.bmm(B.to(y.dtype).transpose(1, 2))).flatten(0, 1);
    }

    private Tensor DownOfTwo(Tensor first, Tensor second, Tensor a)
    {
        Tensor[] parts = a.split([first.shape[^1], second.shape[^1]], 1);
        return Shares(first).bmm(parts[0]).Plus(Shares(second).bmm(parts[1]));
    }

    // [adapters, rows of each, channels] of [rows, channels].
    private Tensor Shares(Tensor rows) => rows.reshape(A.shape[0], -1, rows.shape[^1]);
}
