using Dsd.Models.Layers;
using static TorchSharp.torch;

namespace Dsd.Models.Acceleration;

/// <summary>A gate multiplied into what a layer with weights in eight bits multiplies its outputs by.</summary>
/// <param name="Factors">The layer's factors times the gate: [outputs].</param>
/// <param name="Bias">The layer's bias times the gate: [outputs].</param>
internal readonly record struct GatedProduct(Tensor Factors, Tensor Bias)
{
    /// <summary>Factors and bias for gates [steps, outputs], one for each step: [steps, outputs] each.</summary>
    public static (Tensor Factors, Tensor Bias) OfSteps(AdaptableLinear layer, Tensor gates)
    {
        LinearWeights own = layer.Own;
        return (gates.to(ScalarType.Float32) * own.Factors!, gates * own.Bias);
    }

    /// <summary><c>y + gate · layer(x)</c> in one product: for one picture at a time.</summary>
    /// <param name="y">[1, tokens, outputs].</param>
    /// <param name="layer">The layer that this was made for.</param>
    /// <param name="x">[1, tokens, inputs].</param>
    public Tensor AddTo(Tensor y, AdaptableLinear layer, Activation x)
    {
        Float8Rows rows = x.Narrow;
        Tensor sum = y.contiguous().flatten(0, -2);
        return MatrixProduct.Linear8(rows, new Float8Rows(layer.Weight, Factors), Bias, add: sum).view(y.shape);
    }
}
