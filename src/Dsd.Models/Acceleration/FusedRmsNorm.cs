using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Acceleration;

/// <summary>
/// Root-mean-square normalisation over the last dimension as one operation, computed in float32 and rounded once. TorchSharp has no function for it,
/// so it is reached through TorchScript. On CUDA it replaces eight passes over memory where rows are long; elsewhere it is no faster than its parts.
/// </summary>
internal static class FusedRmsNorm
{
    private const string Source =
        "def scaled(x: Tensor, weight: Tensor, eps: float) -> Tensor:\n" +
        "    return torch.rms_norm(x, [x.size(-1)], weight, eps)\n" +
        "def plain(x: Tensor, eps: float) -> Tensor:\n" +
        "    return torch.rms_norm(x, [x.size(-1)], None, eps)\n";

    // The operation gives each row a block of 128 threads of its own, which short rows leave mostly idle.
    private const int LeastChannels = 128;

    private static readonly Lazy<jit.CompilationUnit> Unit = new(() => jit.compile(Source));

    /// <summary>Whether the operation is faster than its parts for this tensor.</summary>
    public static bool Suits(Tensor x) => x.device_type == DeviceType.CUDA && x.shape[^1] >= LeastChannels;

    /// <summary>x [..., channels] normalised and multiplied by the weight [channels].</summary>
    public static Tensor Apply(Tensor x, Tensor weight, double epsilon)
    {
        using Scalar number = epsilon.ToScalar();
        return (Tensor)Unit.Value.invoke("scaled", x, weight, number)!;
    }

    /// <summary>x [..., channels] normalised.</summary>
    public static Tensor Apply(Tensor x, double epsilon)
    {
        using Scalar number = epsilon.ToScalar();
        return (Tensor)Unit.Value.invoke("plain", x, number)!;
    }
}
