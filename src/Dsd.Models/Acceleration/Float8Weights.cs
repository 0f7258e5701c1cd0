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
    /// <param name="device">The GPU that rounds.</param>
    /// <param name="home">Where the rounded weights shall lie.</param>
    /// <param name="layers">The layers.</param>
    public static void Round(Device device, Device home, params AdaptableLinear[] layers)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Float8Rows rows = BlockKernels.ToFloat8(cat([.. layers.Select(l => l.Weight.to(device))], dim: 0));
        Hold(new Float8Rows(rows.Values.to(home), rows.Factors.to(home)), layers);
    }

    /// <summary>Makes room for rounded weights in the place of the layers' own, on the device on which those lie. What they hold is left open.</summary>
    public static void Room(params AdaptableLinear[] layers)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        (long outputs, long inputs, Device device) = (layers.Sum(l => l.Weight.shape[0]), layers[0].Weight.shape[1], layers[0].Weight.device);
        Hold(new Float8Rows(empty([outputs, inputs], ScalarType.Byte, device), empty([outputs], ScalarType.Float32, device)), layers);
    }

    private static void Hold(Float8Rows rows, AdaptableLinear[] layers)
    {
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
