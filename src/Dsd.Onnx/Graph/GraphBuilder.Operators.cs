namespace Dsd.Onnx.Graph;

// ONNX's operators, under their own names; what each computes stands in the format's operator list.
public sealed partial class GraphBuilder
{
    /// <summary>ONNX's <c>Add</c>.</summary>
    public Value Add(Value a, Value b) => Node("Add", [a, b]);

    /// <summary>ONNX's <c>Sub</c>.</summary>
    public Value Sub(Value a, Value b) => Node("Sub", [a, b]);

    /// <summary>ONNX's <c>Mul</c>.</summary>
    public Value Mul(Value a, Value b) => Node("Mul", [a, b]);

    /// <summary>ONNX's <c>Div</c>.</summary>
    public Value Div(Value a, Value b) => Node("Div", [a, b]);

    /// <summary>ONNX's <c>Pow</c>.</summary>
    public Value Pow(Value a, Value exponent) => Node("Pow", [a, exponent]);

    /// <summary>ONNX's <c>Sqrt</c>.</summary>
    public Value Sqrt(Value a) => Node("Sqrt", [a]);

    /// <summary>ONNX's <c>Cos</c>.</summary>
    public Value Cos(Value a) => Node("Cos", [a]);

    /// <summary>ONNX's <c>Sin</c>.</summary>
    public Value Sin(Value a) => Node("Sin", [a]);

    /// <summary>ONNX's <c>Sigmoid</c>.</summary>
    public Value Sigmoid(Value a) => Node("Sigmoid", [a]);

    /// <summary>ONNX's <c>Relu</c>.</summary>
    public Value Relu(Value a) => Node("Relu", [a]);

    /// <summary>ONNX's <c>Gelu</c>.</summary>
    /// <param name="a">Any shape.</param>
    /// <param name="tanh">The approximation by a hyperbolic tangent, where false is the error function.</param>
    public Value Gelu(Value a, bool tanh) => Node("Gelu", [a], Attribute("approximate", tanh ? "tanh" : "none"));

    /// <summary>ONNX's <c>Clip</c>.</summary>
    public Value Clip(Value a, Value least, Value most) => Node("Clip", [a, least, most]);

    /// <summary>ONNX's <c>Equal</c>.</summary>
    public Value Equal(Value a, Value b) => Node("Equal", [a, b]);

    /// <summary>ONNX's <c>Greater</c>.</summary>
    public Value Greater(Value a, Value b) => Node("Greater", [a, b]);

    /// <summary>ONNX's <c>Where</c>.</summary>
    public Value Where(Value condition, Value then, Value otherwise) => Node("Where", [condition, then, otherwise]);

    /// <summary>ONNX's <c>Cast</c>.</summary>
    public Value Cast(Value a, ElementType to) => Node("Cast", [a], Attribute("to", (long)to.InFile()));

    /// <summary>ONNX's <c>Cast</c>, or nothing where the types are one.</summary>
    public Value Cast(Value a, ElementType from, ElementType to) => from == to ? a : Cast(a, to);

    /// <summary>ONNX's <c>MatMul</c>.</summary>
    public Value MatMul(Value a, Value b) => Node("MatMul", [a, b]);

    /// <summary>ONNX's <c>DynamicQuantizeLinear</c>: numbers of single precision in 8 bits, with one scale and zero point for the whole tensor.</summary>
    public (Value Steps, Value Scale, Value Zero) DynamicQuantizeLinear(Value a)
    {
        Value[] outputs = Nodes("DynamicQuantizeLinear", [a], 3, "");
        return (outputs[0], outputs[1], outputs[2]);
    }

    /// <summary>ONNX's <c>MatMulInteger</c>, in whole numbers of 32 bits.</summary>
    public Value MatMulInteger(Value a, Value b, Value zeroOfA) => Node("MatMulInteger", [a, b, zeroOfA]);

    /// <summary>ONNX's <c>Softmax</c>.</summary>
    public Value Softmax(Value a, int axis) => Node("Softmax", [a], Attribute("axis", axis));

    /// <summary>ONNX's <c>ReduceMean</c>.</summary>
    public Value ReduceMean(Value a, int axis) => Node("ReduceMean", [a, Ints(axis)], Attribute("keepdims", 1));

    /// <summary>ONNX's <c>ArgMax</c>.</summary>
    public Value ArgMax(Value a, int axis) => Node("ArgMax", [a], Attribute("axis", axis), Attribute("keepdims", 1));

    /// <summary>ONNX's <c>LayerNormalization</c>.</summary>
    public Value LayerNormalization(Value a, Value scale, Value? bias, float epsilon) =>
        Node("LayerNormalization", bias is { } b ? [a, scale, b] : [a, scale], Attribute("axis", -1), Attribute("epsilon", epsilon));

    /// <summary>ONNX's <c>RMSNormalization</c> over the last dimension.</summary>
    /// <param name="a">[…, width].</param>
    /// <param name="scale">[width].</param>
    /// <param name="epsilon">Added to the mean square.</param>
    public Value RmsNormalization(Value a, Value scale, float epsilon) =>
        Node("RMSNormalization", [a, scale], Attribute("axis", -1), Attribute("epsilon", epsilon));

    /// <summary>ONNX's <c>RotaryEmbedding</c>, turning neighbouring pairs of channels.</summary>
    /// <param name="a">[batch, tokens, heads · head].</param>
    /// <param name="cos">[batch, tokens, head / 2].</param>
    /// <param name="sin">[batch, tokens, head / 2].</param>
    /// <param name="heads">How many heads there are.</param>
    public Value RotaryEmbedding(Value a, Value cos, Value sin, int heads) =>
        Node("RotaryEmbedding", [a, cos, sin], Attribute("interleaved", 1), Attribute("num_heads", heads));

    /// <summary>ONNX's <c>Attention</c>: <c>softmax(scale · q·kᵀ + mask)·v</c>.</summary>
    /// <param name="q">[batch, tokens, heads · head].</param>
    /// <param name="k">As q.</param>
    /// <param name="v">As q.</param>
    /// <param name="heads">How many heads there are.</param>
    /// <param name="scale">Multiplies the scores.</param>
    /// <param name="mask">Added to the scores, [batch, heads, tokens, tokens] or what spreads to it; null is nothing.</param>
    public Value Attention(Value q, Value k, Value v, int heads, float scale, Value? mask = null) => Node(
        "Attention", mask is { } m ? [q, k, v, m] : [q, k, v],
        Attribute("q_num_heads", heads), Attribute("kv_num_heads", heads), Attribute("scale", scale));

    /// <summary>ONNX's <c>InstanceNormalization</c>.</summary>
    public Value InstanceNormalization(Value a, Value scale, Value bias, float epsilon) =>
        Node("InstanceNormalization", [a, scale, bias], Attribute("epsilon", epsilon));

    /// <summary>ONNX's <c>Conv</c>.</summary>
    /// <param name="a">[batch, in channels, height, width].</param>
    /// <param name="weight">[out channels, in channels, kernel, kernel].</param>
    /// <param name="bias">[out channels].</param>
    /// <param name="kernel">The kernel's side.</param>
    /// <param name="stride">Step in both directions.</param>
    /// <param name="pads">Rows and columns of zeros: top, left, bottom, right.</param>
    public Value Conv(Value a, Value weight, Value bias, int kernel, int stride, long[] pads) =>
        Node("Conv", [a, weight, bias], Attribute("kernel_shape", [kernel, kernel]), Attribute("strides", [stride, stride]), Attribute("pads", pads));

    /// <summary>Repeats each pixel: nearest neighbour, no blending.</summary>
    public Value Resize(Value a, params float[] scales) => Node(
        "Resize",
        [a, new Value(""), Constant(Initializer.Of($"scales.{string.Join('_', scales)}", ElementType.Float32, scales, scales.Length))],
        Attribute("mode", "nearest"),
        Attribute("coordinate_transformation_mode", "asymmetric"),
        Attribute("nearest_mode", "floor"));

    /// <summary>ONNX's <c>Shape</c>.</summary>
    public Value Shape(Value a) => Node("Shape", [a]);

    /// <summary>One dimension as a vector of one number.</summary>
    public Value Dimension(Value a, int axis) => Node("Shape", [a], Attribute("start", axis), Attribute("end", axis + 1));

    /// <summary>ONNX's <c>Reshape</c>.</summary>
    public Value Reshape(Value a, Value shape) => Node("Reshape", [a, shape]);

    /// <summary>ONNX's <c>Reshape</c>.</summary>
    /// <param name="a">Any shape.</param>
    /// <param name="shape">Sides; 0 keeps a side, −1 is what is left.</param>
    public Value Reshape(Value a, params long[] shape) => Reshape(a, Ints(shape));

    /// <summary>ONNX's <c>Transpose</c>.</summary>
    public Value Transpose(Value a, params long[] order) => Node("Transpose", [a], Attribute("perm", order));

    /// <summary>ONNX's <c>Concat</c>.</summary>
    public Value Concat(int axis, params Value[] parts) => Node("Concat", parts, Attribute("axis", axis));

    /// <summary>Equal parts along an axis.</summary>
    public Value[] Split(Value a, int axis, int parts) => Nodes("Split", [a], parts, "", Attribute("axis", axis), Attribute("num_outputs", parts));

    /// <summary>What lies from <paramref name="start"/> up to <paramref name="end"/> (vectors of one number) along an axis.</summary>
    public Value Slice(Value a, Value start, Value end, int axis) => Node("Slice", [a, start, end, Ints(axis)]);

    /// <summary>ONNX's <c>Squeeze</c>.</summary>
    public Value Squeeze(Value a, int axis) => Node("Squeeze", [a, Ints(axis)]);

    /// <summary>ONNX's <c>Unsqueeze</c>.</summary>
    public Value Unsqueeze(Value a, int axis) => Node("Unsqueeze", [a, Ints(axis)]);

    /// <summary>ONNX's <c>Gather</c>.</summary>
    public Value Gather(Value a, Value indices, int axis = 0) => Node("Gather", [a, indices], Attribute("axis", axis));

    /// <summary>ONNX's <c>GatherND</c>.</summary>
    public Value GatherND(Value a, Value indices, int batchDimensions) => Node("GatherND", [a, indices], Attribute("batch_dims", batchDimensions));

    /// <summary>0, 1, 2 … up to <paramref name="count"/> (a scalar), without it.</summary>
    public Value Range(Value count) => Node("Range", [Int(0), count, Int(1)]);
}
