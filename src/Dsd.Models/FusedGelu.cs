using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models;

/// <summary>
/// A linear layer whose result passes through GELU (tanh form) before it is written: an epilogue of the matrix product on CUDA, which TorchSharp has no function for
/// and which is reached through TorchScript. On the CPU the same operation takes GELU's other form.
/// </summary>
internal static class FusedGelu
{
    private const string Source =
        "def gelu_linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:\n" +
        "    return torch._addmm_activation(bias, x, weight.t(), use_gelu=True)\n";

    private static readonly Lazy<jit.CompilationUnit> Unit = new(() => jit.compile(Source));

    /// <summary>False leaves GELU an operation of its own: for comparisons.</summary>
    public static bool Enabled { get; set; } = true;

    /// <summary>Whether it can be used for this input: it knows no gradient here.</summary>
    public static bool Suits(Tensor x) => Enabled && x.device_type == DeviceType.CUDA && !is_grad_enabled();

    /// <summary><c>gelu(x · weightᵀ + bias)</c> of x [rows, inputs] and weight [outputs, inputs].</summary>
    public static Tensor Apply(Tensor x, Tensor weight, Tensor bias) => (Tensor)Unit.Value.invoke("gelu_linear", x, weight, bias)!;
}
