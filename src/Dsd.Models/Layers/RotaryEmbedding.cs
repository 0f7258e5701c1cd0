using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Layers;

/// <summary>Rotary position embedding: pairs of channels are rotated by an angle that grows with the position.</summary>
internal static class RotaryEmbedding
{
    private const double Theta = 10000;

    /// <summary>Rotations as complex numbers [tokens, 1, head / 2] for position ids [tokens, axes].</summary>
    public static Tensor Of(Tensor ids, IReadOnlyList<int> axesDims)
    {
        using DisposeScope scope = NewDisposeScope();
        // In float32 the angles of far positions would lose digits; the reference computes them in float64 and rounds the result.
        Tensor positions = ids.to(ScalarType.Float64);
        Tensor[] perAxis = axesDims
            .Select((dim, axis) =>
            {
                Tensor exponents = TensorMath.Range((dim + 1) / 2, ScalarType.Float64, ids.device).Times(2).Over(Math.Max(dim, 1));
                Tensor frequencies = pow(Theta, exponents).reciprocal(); // [dim / 2]
                return outer(positions[TensorIndex.Colon, axis], frequencies); // [tokens, dim / 2]
            })
            .ToArray();
        Tensor angles = cat(perAxis, dim: 1); // [tokens, head / 2]
        return complex(angles.cos().to(ScalarType.Float32), angles.sin().to(ScalarType.Float32)).unsqueeze(1).MoveToOuterDisposeScope();
    }

    /// <summary>Rotates neighbouring pairs of channels of x [batch, tokens, heads, head], in float32.</summary>
    public static Tensor Apply(Tensor x, Tensor rotary)
    {
        Tensor pairs = x.to(ScalarType.Float32).unflatten(3, x.shape[3] / 2, 2).view_as_complex(); // [batch, tokens, heads, head / 2]
        return (pairs * rotary).view_as_real().flatten(3, 4).to(x.dtype);
    }
}
