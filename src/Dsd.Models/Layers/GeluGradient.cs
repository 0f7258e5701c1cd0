using Dsd.Models.Acceleration;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Layers;

/// <summary>GELU in its tanh form between two linear layers, and its way back, where no graph is kept.</summary>
internal static class GeluGradient
{
    private const TorchSharp.Modules.GELU.Approximate Tanh = TorchSharp.Modules.GELU.Approximate.tanh;

    /// <summary>GELU of x [rows, width].</summary>
    public static Tensor Forward(Tensor x) => functional.gelu(x, Tanh);

    /// <summary>Channels [rows, some], and after them GELU of x [rows, width]: [rows, some + width].</summary>
    public static Tensor Beside(Tensor first, Tensor x) => BlockKernels.Suit(x) && first.shape[1] % 8 == 0
        ? BlockKernels.GeluBeside(first, x)
        : cat([first, functional.gelu(x, Tanh)], 1);

    /// <summary>The gradient of x [rows, width] for the gradient of its GELU.</summary>
    public static Tensor Of(Tensor x, Tensor gradient) => BlockKernels.Suit(x)
        ? BlockKernels.GeluGradient(x, gradient)
        : PlainGradient.Of([x], inputs => [functional.gelu(inputs[0], Tanh)], [gradient])[0];
}
