using Dsd.Models.Acceleration;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Layers;

/// <summary>GELU in its tanh form as a step of its own, for passes that need what comes before it on the way back.</summary>
internal static class Gelu
{
    /// <summary>GELU of x [rows, width].</summary>
    public static Tensor Of(Tensor x) => functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh);

    /// <summary>Channels [rows, some], and after them GELU of x [rows, width]: [rows, some + width].</summary>
    public static Tensor Beside(Tensor first, Tensor x) =>
        BlockKernels.Suit(x) && first.shape[1] % 8 == 0 ? BlockKernels.GeluBeside(first, x) : cat([first, Of(x)], 1);

    /// <summary>The gradient of x [rows, width] for the gradient of its GELU.</summary>
    public static Tensor Gradient(Tensor x, Tensor gradient) => BlockKernels.Suit(x)
        ? BlockKernels.GeluGradient(x, gradient)
        : PlainGradient.Of([x], inputs => [Of(inputs[0])], [gradient])[0];
}
