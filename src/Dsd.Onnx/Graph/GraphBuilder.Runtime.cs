namespace Dsd.Onnx.Graph;

// Operators that ONNX Runtime defines beside the standard, under their own names; what each computes stands in its documentation (ContribOperators.md).
public sealed partial class GraphBuilder
{
    /// <summary>Adds two streams and a bias, and normalises the sum.</summary>
    /// <param name="a">[batch, tokens, width].</param>
    /// <param name="skip">As a.</param>
    /// <param name="scale">[width].</param>
    /// <param name="shift">[width].</param>
    /// <param name="bias">[width], added to both before they are normalised.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <returns>The normalised sum, scaled and shifted; and the sum.</returns>
    public (Value Normal, Value Sum) SkipLayerNormalization(Value a, Value skip, Value scale, Value shift, Value bias, float epsilon)
    {
        Value[] outputs = Nodes("SkipLayerNormalization", [a, skip, scale, shift, bias], 4, RuntimeDomain, Attribute("epsilon", epsilon));
        return (outputs[0], outputs[3]);
    }

    /// <summary>Adds two tensors and divides the sum by the root of its mean square over the last dimension.</summary>
    /// <param name="a">[tokens, heads, head].</param>
    /// <param name="skip">[1, heads, head]: it is repeated for all tokens.</param>
    /// <param name="scale">[head].</param>
    /// <param name="epsilon">Added to the mean square.</param>
    public Value SkipSimplifiedLayerNormalization(Value a, Value skip, Value scale, float epsilon) =>
        Nodes("SkipSimplifiedLayerNormalization", [a, skip, scale], 1, RuntimeDomain, Attribute("epsilon", epsilon))[0];

    /// <summary><c>softmax(scale · q·kᵀ)·v</c> in one kernel.</summary>
    /// <param name="q">[batch, tokens, heads · head].</param>
    /// <param name="k">As q.</param>
    /// <param name="v">As q.</param>
    /// <param name="heads">How many heads there are.</param>
    /// <param name="scale">Multiplies the scores.</param>
    public Value MultiHeadAttention(Value q, Value k, Value v, int heads, float scale) =>
        Nodes("MultiHeadAttention", [q, k, v], 1, RuntimeDomain, Attribute("num_heads", heads), Attribute("scale", scale))[0];

    /// <summary>GELU by its hyperbolic tangent, of the sum of both.</summary>
    /// <param name="a">[batch, tokens, width].</param>
    /// <param name="bias">[width].</param>
    public Value FastGelu(Value a, Value bias) => Nodes("FastGelu", [a, bias], 1, RuntimeDomain)[0];

    /// <summary><c>a · Wᵀ</c> with weights of 4 or 8 bits, a scale for each block of inputs.</summary>
    /// <param name="a">[…, inputs].</param>
    /// <param name="packed">[outputs, blocks, block · bits / 8] bytes; numbers lie around 2^(bits − 1).</param>
    /// <param name="scales">[outputs · blocks].</param>
    /// <param name="inputs">How many inputs there are.</param>
    /// <param name="outputs">How many outputs there are.</param>
    /// <param name="bits">4 or 8.</param>
    /// <param name="block">Inputs that share a scale: a power of two from 16 to 256.</param>
    /// <param name="intProducts">Let the kernel narrow a to 8 bits and multiply whole numbers, where it knows that (on processors).</param>
    public Value MatMulNBits(Value a, Value packed, Value scales, int inputs, int outputs, int bits, int block, bool intProducts) => Nodes(
        "MatMulNBits", [a, packed, scales], 1, RuntimeDomain, Attribute("K", (long)inputs), Attribute("N", (long)outputs), Attribute("bits", (long)bits),
        Attribute("block_size", (long)block), Attribute("accuracy_level", intProducts ? 4L : 0L))[0];
}
