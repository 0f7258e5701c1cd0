using DataType = Dsd.Onnx.Graph.TensorProto.Types.DataType;

namespace Dsd.Onnx.Graph;

// ONNX's operators, under their own names; what each computes stands in the format's operator list.
internal sealed partial class GraphBuilder
{
    public Value Add(Value a, Value b) => Node("Add", [a, b]);

    public Value Sub(Value a, Value b) => Node("Sub", [a, b]);

    public Value Mul(Value a, Value b) => Node("Mul", [a, b]);

    public Value Div(Value a, Value b) => Node("Div", [a, b]);

    public Value Pow(Value a, Value exponent) => Node("Pow", [a, exponent]);

    public Value Sqrt(Value a) => Node("Sqrt", [a]);

    public Value Cos(Value a) => Node("Cos", [a]);

    public Value Sin(Value a) => Node("Sin", [a]);

    public Value Sigmoid(Value a) => Node("Sigmoid", [a]);

    public Value Relu(Value a) => Node("Relu", [a]);

    /// <param name="a">Any shape.</param>
    /// <param name="tanh">The approximation by a hyperbolic tangent, where false is the error function.</param>
    public Value Gelu(Value a, bool tanh) => Node("Gelu", [a], Attribute("approximate", tanh ? "tanh" : "none"));

    public Value Clip(Value a, Value least, Value most) => Node("Clip", [a, least, most]);

    public Value Equal(Value a, Value b) => Node("Equal", [a, b]);

    public Value Greater(Value a, Value b) => Node("Greater", [a, b]);

    public Value Where(Value condition, Value then, Value otherwise) => Node("Where", [condition, then, otherwise]);

    public Value Cast(Value a, DataType to) => Node("Cast", [a], Attribute("to", (long)to));

    public Value MatMul(Value a, Value b) => Node("MatMul", [a, b]);

    public Value Softmax(Value a, int axis) => Node("Softmax", [a], Attribute("axis", axis));

    public Value ReduceMean(Value a, int axis) => Node("ReduceMean", [a, Ints(axis)], Attribute("keepdims", 1));

    public Value ArgMax(Value a, int axis) => Node("ArgMax", [a], Attribute("axis", axis), Attribute("keepdims", 1));

    public Value LayerNormalization(Value a, Value scale, Value? bias, float epsilon) =>
        Node("LayerNormalization", bias is { } b ? [a, scale, b] : [a, scale], Attribute("axis", -1), Attribute("epsilon", epsilon));

    public Value InstanceNormalization(Value a, Value scale, Value bias, float epsilon) =>
        Node("InstanceNormalization", [a, scale, bias], Attribute("epsilon", epsilon));

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
        [a, new Value(""), Constant(Initializer.Of($"scales.{string.Join('_', scales)}", scales, scales.Length))],
        Attribute("mode", "nearest"),
        Attribute("coordinate_transformation_mode", "asymmetric"),
        Attribute("nearest_mode", "floor"));

    public Value Shape(Value a) => Node("Shape", [a]);

    /// <summary>One dimension as a vector of one number.</summary>
    public Value Dimension(Value a, int axis) => Node("Shape", [a], Attribute("start", axis), Attribute("end", axis + 1));

    public Value Reshape(Value a, Value shape) => Node("Reshape", [a, shape]);

    /// <param name="a">Any shape.</param>
    /// <param name="shape">Sides; 0 keeps a side, −1 is what is left.</param>
    public Value Reshape(Value a, params long[] shape) => Reshape(a, Ints(shape));

    public Value Transpose(Value a, params long[] order) => Node("Transpose", [a], Attribute("perm", order));

    public Value Concat(int axis, params Value[] parts) => Node("Concat", parts, Attribute("axis", axis));

    /// <summary>Equal parts along an axis.</summary>
    public Value[] Split(Value a, int axis, int parts) => Nodes("Split", [a], parts, Attribute("axis", axis), Attribute("num_outputs", parts));

    /// <summary>What lies from <paramref name="start"/> up to <paramref name="end"/> (vectors of one number) along an axis.</summary>
    public Value Slice(Value a, Value start, Value end, int axis) => Node("Slice", [a, start, end, Ints(axis)]);

    public Value Squeeze(Value a, int axis) => Node("Squeeze", [a, Ints(axis)]);

    public Value Unsqueeze(Value a, int axis) => Node("Unsqueeze", [a, Ints(axis)]);

    public Value Gather(Value a, Value indices, int axis = 0) => Node("Gather", [a, indices], Attribute("axis", axis));

    public Value GatherND(Value a, Value indices, int batchDimensions) => Node("GatherND", [a, indices], Attribute("batch_dims", batchDimensions));

    /// <summary>0, 1, 2 … up to <paramref name="count"/> (a scalar), without it.</summary>
    public Value Range(Value count) => Node("Range", [Int(0), count, Int(1)]);
}
