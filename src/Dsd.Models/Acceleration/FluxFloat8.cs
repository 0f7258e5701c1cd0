using Dsd.Models.Flux;
using Dsd.Models.Layers;
using Dsd.Models.Residency;
using Dsd.Models.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Acceleration;

/// <summary>
/// The weights of the blocks' linear layers, but for modulations, in eight bits (e4m3) with a factor for each output channel, and products in eight
/// bits. Halves their memory. There is no way back. Where a gradient is wanted, each layer's weights are widened while it computes.
/// </summary>
internal static class FluxFloat8
{
    /// <summary>Rounds the weights of a transformer that is on its device as a whole.</summary>
    /// <exception cref="NotSupportedException">The transformer is not on a GPU that can do it, or not in bfloat16; says what is missing.</exception>
    public static void Convert(FluxTransformer transformer)
    {
        Require(transformer, transformer.Residency?.Doubles is null && transformer.Residency?.Singles is null);
        if (transformer.IsFloat8)
        {
            return;
        }
        foreach (AdaptableLinear[] layers in Blocks(transformer).SelectMany(b => b.Block.Large))
        {
            Float8Weights.Round(transformer.Device, transformer.Device, layers);
        }
    }

    /// <summary>
    /// The same while weights are loaded: each block lies on the host until it is filled, and then goes to the GPU in eight bits, so that neither
    /// ever holds the whole in its own type. Blocks that pass through the GPU come back.
    /// </summary>
    /// <param name="transformer">A transformer whose blocks lie on the host.</param>
    /// <param name="memory">Where its weights will lie.</param>
    /// <param name="trains">
    /// Whether it will be trained: the modulations, which a generation needs once and a step of training each time, then are rounded, too, and widened
    /// to compute.
    /// </param>
    /// <returns>To be called with the name of each parameter that has been loaded.</returns>
    /// <exception cref="NotSupportedException">As <see cref="Convert"/>.</exception>
    public static Action<string> WhenFilled(FluxTransformer transformer, MemoryMode memory, bool trains)
    {
        Require(transformer, true);
        bool streamed = memory == MemoryMode.Streamed;
        Device home = streamed ? CPU : transformer.Device;
        Dictionary<string, int> left = Blocks(transformer).ToDictionary(b => b.Name, b => b.Block.parameters().Count());
        Dictionary<string, FluxBlock> blocks = Blocks(transformer).ToDictionary(b => b.Name, b => b.Block);
        return name =>
        {
            string key = string.Join('.', name.Split('.').Take(2));
            if (!blocks.TryGetValue(key, out FluxBlock? block) || --left[key] > 0)
            {
                return;
            }
            foreach (AdaptableLinear[] layers in block.Large)
            {
                Float8Weights.Round(transformer.Device, home, layers);
            }
            foreach (Modulation modulation in trains ? block.children().OfType<Modulation>() : [])
            {
                Float8Weights.Round(transformer.Device, transformer.Device, modulation.Linear);
                modulation.Linear.WidensFloat8 = true;
            }
            foreach (nn.Module part in block.children().Where(p => !streamed && p is not Modulation { Linear.IsOnHost: true }))
            {
                WeightLoader.Kept(part.to(transformer.Device));
            }
        };
    }

    private static IEnumerable<(string Name, FluxBlock Block)> Blocks(FluxTransformer transformer) =>
        transformer.named_modules().Where(m => m.module is FluxBlock).Select(m => (m.name, (FluxBlock)m.module));

    private static void Require(FluxTransformer transformer, bool staysOnDevice)
    {
        if (transformer.DType != ScalarType.BFloat16 || transformer.Device.type != DeviceType.CUDA)
        {
            throw new NotSupportedException(
                $"Eight bits need a transformer in bfloat16 on an NVIDIA GPU; this one is in {transformer.DType} on {transformer.Device}.");
        }
        if (!staysOnDevice)
        {
            throw new NotSupportedException(
                $"Eight bits need blocks that lie on the GPU, but these pass through it ({nameof(MemoryMode)}.{nameof(MemoryMode.Streamed)}).");
        }
        BlockKernels.RequireFloat8(transformer.Linears()["x_embedder"].Weight);
    }
}
