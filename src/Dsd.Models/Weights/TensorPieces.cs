using static TorchSharp.torch;

namespace Dsd.Models.Weights;

/// <summary>Cuts a contiguous tensor into flat pieces small enough for a span.</summary>
internal static class TensorPieces
{
    private const long Elements = 16 << 20;

    /// <summary>Views of the tensor's elements in order, each to be disposed by the caller.</summary>
    public static IEnumerable<Tensor> Of(Tensor contiguous)
    {
        long count = contiguous.numel();
        if (count == 0)
        {
            yield break;
        }
        using Tensor alone = contiguous.detach();
        using Tensor flat = alone.view(-1);
        for (long start = 0; start < count; start += Elements)
        {
            yield return flat.slice(0, start, Math.Min(start + Elements, count), 1);
        }
    }
}
