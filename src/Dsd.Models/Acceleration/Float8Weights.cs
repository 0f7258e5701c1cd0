using Dsd.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Acceleration;

/// <summary>Weights of linear layers in eight bits.</summary>
internal static class Float8Weights
{
    /// <summary>
    /// Rounds the weights of layers, which lie end to end if there are several, to eight bits with a factor for each output, on a GPU. What they were
    /// in is freed. There is no way back, and no gradient.
    /// </summary>
    public static void Round(Device device, params AdaptableLinear[] layers)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Float8Rows rows = BlockKernels.ToFloat8(cat([.. layers.Select(l => l.Weight.to(device))], dim: 0));
        long start = 0;
        foreach (AdaptableLinear layer in layers)
        {
            long outputs = layer.Weight.shape[0];
            Parameter own = Parameter(rows.Values.narrow(0, start, outputs), requires_grad: false);
            own.DetachFromDisposeScope();
            layer.HoldFloat8(own, rows.Factors.narrow(0, start, outputs).DetachFromDisposeScope());
            start += outputs;
        }
    }
}
