using Dsd.Models.Layers;
using Dsd.Models.Native;
using static TorchSharp.torch;

namespace Dsd.Models.Acceleration;

/// <summary>Layers of one shape whose weights lie end to end in memory, so that they can be taken as one layer.</summary>
internal static class EndToEnd
{
    /// <summary>Makes such layers.</summary>
    public static AdaptableLinear[] New(int count, long inputs, long outputs, Device? device, ScalarType dtype)
    {
        using Tensor weights = empty(count * outputs, inputs, dtype: dtype, device: device);
        using Tensor biases = empty(count * outputs, dtype: dtype, device: device);
        return
        [
            .. Enumerable.Range(0, count)
                .Select(i => new AdaptableLinear(weights.narrow(0, i * outputs, outputs), biases.narrow(0, i * outputs, outputs))),
        ];
    }

    /// <summary>Whether layers still lie so, and compute with weights of their own.</summary>
    // Whatever moves a layer's weights elsewhere, to another device or type, parts them: each then starts a storage of its own.
    public static bool Lie(AdaptableLinear[] layers)
    {
        AdaptableLinear first = layers[0];
        long outputs = 0;
        foreach (AdaptableLinear layer in layers)
        {
            if (layer.Replacement is not null || layer.HoldsFloat8 != first.HoldsFloat8
                || !Follows(first.Weight, layer.Weight, outputs * first.Weight.size(1)) || !Follows(first.Bias, layer.Bias, outputs))
            {
                return false;
            }
            outputs += layer.Weight.size(0);
        }
        return true;
    }

    /// <summary>The weights of all layers together.</summary>
    /// <param name="first">The first layer.</param>
    /// <param name="outputs">Of all.</param>
    public static LinearWeights Joined(AdaptableLinear first, long outputs)
    {
        LinearWeights own = first.Own;
        return new LinearWeights(Joined(own.Weight, outputs), Joined(own.Bias, outputs), own.Factors is { } factors ? Joined(factors, outputs) : null);
    }

    private static bool Follows(Tensor start, Tensor tensor, long numbers) => tensor.is_contiguous()
        && tensor.storage_offset() == start.storage_offset() + numbers
        && TensorMemory.Address(tensor) == TensorMemory.Address(start) + (numbers * start.element_size());

    private static Tensor Joined(Tensor first, long outputs) => first.dim() == 1
        ? first.as_strided([outputs], [1], first.storage_offset())
        : first.as_strided([outputs, first.shape[1]], [first.shape[1], 1], first.storage_offset());
}
