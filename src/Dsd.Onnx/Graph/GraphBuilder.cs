using Google.Protobuf;
using DataType = Dsd.Onnx.Graph.TensorProto.Types.DataType;

namespace Dsd.Onnx.Graph;

/// <summary>
/// Builds the graph of an ONNX model node by node. Every operator is a method of its name; a node is called after the module that it
/// stands in (<see cref="Scope"/>), its operator and a number: <c>transformer_blocks.0.attn.MatMul_1</c>.
/// </summary>
public sealed partial class GraphBuilder(string name)
{
    /// <summary>The version of ONNX's operators that the methods speak.</summary>
    public const int Opset = 20;

    private readonly GraphProto _graph = new() { Name = name };
    private readonly Dictionary<string, Initializer> _initializers = [];
    private readonly Dictionary<string, int> _nodeCounts = [];
    private string _scope = "";

    /// <summary>Nodes, inputs and outputs so far, without initializers.</summary>
    internal GraphProto Graph => _graph;

    /// <summary>Constants so far, in the order in which they were asked for.</summary>
    internal IReadOnlyCollection<Initializer> Initializers => _initializers.Values;

    /// <summary>Names what is built inside a <c>using</c> after a module, within the scope that is open now.</summary>
    public IDisposable Scope(string module)
    {
        string outer = _scope;
        _scope = Path(module);
        return new Restorer(() => _scope = outer);
    }

    /// <summary>A name within the open scope, as checkpoints write it: joined by dots.</summary>
    public string Path(string local) => _scope.Length == 0 ? local : $"{_scope}.{local}";

    /// <summary>An input of the model. A dimension that starts with a digit is fixed, any other name is dynamic: <c>"batch"</c>, <c>"64"</c>.</summary>
    internal Value Input(string input, DataType type, params string[] shape)
    {
        _graph.Input.Add(Describe(input, type, shape));
        return new Value(input);
    }

    /// <summary>An input of single precision. A dimension that starts with a digit is fixed, any other name is dynamic: <c>"64"</c>, <c>"batch"</c>.</summary>
    public Value Input(string input, params string[] shape) => Input(input, DataType.Float, shape);

    /// <summary>Makes a value of single precision an output of the model, under its own name.</summary>
    public void Output(string output, Value value, params string[] shape) => Output(output, value, DataType.Float, shape);

    /// <summary>Makes a value an output of the model, under its own name.</summary>
    internal void Output(string output, Value value, DataType type, params string[] shape)
    {
        _graph.Node.Add(new NodeProto { Name = output, OpType = "Identity", Input = { value.Name }, Output = { output } });
        _graph.Output.Add(Describe(output, type, shape));
    }

    /// <summary>A constant tensor; asked for again under the same name, it is the same.</summary>
    internal Value Constant(Initializer initializer)
    {
        _initializers.TryAdd(initializer.Name, initializer);
        return new Value(initializer.Name);
    }

    /// <summary>A constant vector of numbers, such as a shape or axes.</summary>
    public Value Ints(params long[] values) =>
        Constant(Initializer.Of($"ints.{string.Join('_', values)}", values, values.Length));

    /// <summary>A constant whole number.</summary>
    internal Value Int(long value) => Constant(Initializer.Of<long>($"int.{value}", [value]));

    /// <summary>A constant number.</summary>
    internal Value Float(float value) => Constant(Initializer.Of<float>(FormattableString.Invariant($"float.{value:R}"), [value]));

    /// <summary>A constant vector of one number repeated.</summary>
    public Value Filled(float value, int count) =>
        Constant(Initializer.Of<float>(FormattableString.Invariant($"float.{value:R}.{count}"), [.. Enumerable.Repeat(value, count)], count));

    /// <summary>A constant tensor of single precision, named in the open scope.</summary>
    internal Value Floats(string local, float[] values, params long[] shape) => Constant(Initializer.Of(Path(local), values, shape));

    /// <summary>A constant tensor of double precision, named in the open scope.</summary>
    internal Value Doubles(string local, double[] values, params long[] shape) => Constant(Initializer.Of(Path(local), values, shape));

    private Value Node(string operation, Value[] inputs, params AttributeProto[] attributes) =>
        Nodes(operation, inputs, 1, attributes)[0];

    private Value[] Nodes(string operation, Value[] inputs, int outputs, params AttributeProto[] attributes)
    {
        string node = Path(operation);
        int count = _nodeCounts[node] = _nodeCounts.GetValueOrDefault(node) + 1;
        node = $"{node}_{count}";
        string[] names = outputs == 1 ? [node] : [.. Enumerable.Range(0, outputs).Select(i => $"{node}.{i}")];
        _graph.Node.Add(new NodeProto
        {
            Name = node,
            OpType = operation,
            Input = { inputs.Select(v => v.Name) },
            Output = { names },
            Attribute = { attributes },
        });
        return [.. names.Select(n => new Value(n))];
    }

    private static AttributeProto Attribute(string attribute, long value) =>
        new() { Name = attribute, Type = AttributeProto.Types.AttributeType.Int, I = value };

    private static AttributeProto Attribute(string attribute, float value) =>
        new() { Name = attribute, Type = AttributeProto.Types.AttributeType.Float, F = value };

    private static AttributeProto Attribute(string attribute, string value) =>
        new() { Name = attribute, Type = AttributeProto.Types.AttributeType.String, S = ByteString.CopyFromUtf8(value) };

    private static AttributeProto Attribute(string attribute, long[] values) =>
        new() { Name = attribute, Type = AttributeProto.Types.AttributeType.Ints, Ints = { values } };

    private static ValueInfoProto Describe(string value, DataType type, string[] shape)
    {
        TensorShapeProto dimensions = new();
        foreach (string side in shape)
        {
            dimensions.Dim.Add(char.IsAsciiDigit(side[0])
                ? new TensorShapeProto.Types.Dimension { DimValue = long.Parse(side) }
                : new TensorShapeProto.Types.Dimension { DimParam = side });
        }
        return new ValueInfoProto
        {
            Name = value,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = dimensions } },
        };
    }

    private sealed class Restorer(Action restore) : IDisposable
    {
        public void Dispose() => restore();
    }
}
