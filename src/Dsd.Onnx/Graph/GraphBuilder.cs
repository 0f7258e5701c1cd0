using Google.Protobuf;

namespace Dsd.Onnx.Graph;

/// <summary>
/// Builds the graph of an ONNX model node by node. Every operator is a method of its name; a node is called after the module that it
/// stands in (<see cref="Scope"/>), its operator and a number: <c>transformer_blocks.0.attn.MatMul_1</c>.
/// </summary>
/// <remarks>
/// Real numbers within the graph are of one type, <see cref="Floats"/>: constants are written in it, and inputs and outputs, which are single precision
/// whatever it is, are converted at the border. A graph of another type is the same graph built by the same calls.
/// </remarks>
public sealed partial class GraphBuilder
{
    /// <summary>The version of ONNX's operators that the methods speak.</summary>
    public const int Opset = 23;

    /// <summary>The domain of ONNX Runtime's own operators.</summary>
    public const string RuntimeDomain = "com.microsoft";

    private readonly GraphProto _graph;
    private readonly Dictionary<string, Initializer> _initializers = [];
    private readonly Dictionary<string, int> _nodeCounts = [];
    private string _scope = "";

    /// <summary>An empty graph.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="floats">The type of real numbers: <see cref="ElementType.Float32"/>, <see cref="ElementType.Float16"/> or
    /// <see cref="ElementType.BFloat16"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The type is another one.</exception>
    public GraphBuilder(string name, ElementType floats = ElementType.Float32)
    {
        ArgumentNullException.ThrowIfNull(name);
        _graph = new GraphProto { Name = name };
        Floats = ElementTypes.RequireFloats(floats, nameof(floats));
    }

    /// <summary>The type of real numbers within the graph.</summary>
    public ElementType Floats { get; }

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

    /// <summary>
    /// An input of real numbers in single precision, converted to <see cref="Floats"/>. A dimension that starts with a digit is fixed, any other name is
    /// dynamic: <c>"64"</c>, <c>"batch"</c>.
    /// </summary>
    public Value Input(string input, params string[] shape) => Cast(Input(input, ElementType.Float32, shape), ElementType.Float32, Floats);

    /// <summary>An input of the given type, as it is.</summary>
    public Value Input(string input, ElementType type, params string[] shape)
    {
        _graph.Input.Add(Describe(input, type, shape));
        return new Value(input);
    }

    /// <summary>Makes a value of type <see cref="Floats"/> an output of the model in single precision, under its own name.</summary>
    public void Output(string output, Value value, params string[] shape) =>
        Output(output, Cast(value, Floats, ElementType.Float32), ElementType.Float32, shape);

    /// <summary>Makes a value an output of the model as it is, under its own name.</summary>
    public void Output(string output, Value value, ElementType type, params string[] shape)
    {
        _graph.Node.Add(new NodeProto { Name = output, OpType = "Identity", Input = { value.Name }, Output = { output } });
        _graph.Output.Add(Describe(output, type, shape));
    }

    /// <summary>A constant tensor; asked for again under the same name, it is the same.</summary>
    public Value Constant(Initializer initializer)
    {
        ArgumentNullException.ThrowIfNull(initializer);
        _initializers.TryAdd(initializer.Name, initializer);
        return new Value(initializer.Name);
    }

    /// <summary>A constant that is an input of its name too: whoever gives the input replaces the constant in that run.</summary>
    internal Value Replaceable(Initializer initializer)
    {
        _graph.Input.Add(Describe(initializer.Name, initializer.Type, [.. initializer.Shape.Select(side => $"{side}")]));
        return Constant(initializer);
    }

    /// <summary>A constant vector of whole numbers, such as a shape or axes.</summary>
    public Value Ints(params long[] values) =>
        Constant(Initializer.Of($"ints.{string.Join('_', values)}", values, values.Length));

    /// <summary>A constant whole number.</summary>
    public Value Int(long value) => Constant(Initializer.Of($"int.{value}", [value]));

    /// <summary>A constant number of type <see cref="Floats"/>.</summary>
    public Value Float(float value) => Float(value, Floats);

    /// <summary>A constant number of the given type of real numbers.</summary>
    public Value Float(float value, ElementType type) => Constant(Initializer.Of(FormattableString.Invariant($"{type}.{value:R}"), type, [value]));

    /// <summary>A constant vector of one number repeated, of type <see cref="Floats"/>.</summary>
    public Value Filled(float value, int count) => Constant(
        Initializer.Of(FormattableString.Invariant($"{Floats}.{value:R}.{count}"), Floats, [.. Enumerable.Repeat(value, count)], count));

    /// <summary>A constant tensor of type <see cref="Floats"/>, named in the open scope.</summary>
    public Value Table(string local, float[] values, params long[] shape) => Table(local, Floats, values, shape);

    /// <summary>A constant tensor of the given type of real numbers, named in the open scope.</summary>
    public Value Table(string local, ElementType type, float[] values, params long[] shape) => Constant(Initializer.Of(Path(local), type, values, shape));

    /// <summary>A constant tensor of double precision, named in the open scope.</summary>
    public Value Table(string local, double[] values, params long[] shape) => Constant(Initializer.Of(Path(local), values, shape));

    /// <summary>A node of any operator, for what has no method here.</summary>
    /// <param name="operation">The operator.</param>
    /// <param name="inputs">Its inputs; an empty name leaves an optional one out.</param>
    /// <param name="outputs">How many outputs it has.</param>
    /// <param name="attributes">Names and values: whole numbers, real numbers, texts, or arrays of whole numbers.</param>
    /// <param name="domain">Where the operator is defined: empty for ONNX's own.</param>
    /// <returns>The outputs.</returns>
    /// <exception cref="ArgumentException">An attribute's value is of another kind.</exception>
    public Value[] Node(string operation, Value[] inputs, int outputs, IReadOnlyList<(string Name, object Value)> attributes, string domain = "") =>
        Nodes(operation, inputs, outputs, domain, [.. attributes.Select(a => a.Value switch
        {
            int whole => Attribute(a.Name, (long)whole),
            long whole => Attribute(a.Name, whole),
            float real => Attribute(a.Name, real),
            string text => Attribute(a.Name, text),
            long[] many => Attribute(a.Name, many),
            _ => throw new ArgumentException($"Attribute '{a.Name}' of {operation} is {a.Value.GetType().Name}, which is not written.", nameof(attributes)),
        })]);

    private Value Node(string operation, Value[] inputs, params AttributeProto[] attributes) =>
        Nodes(operation, inputs, 1, "", attributes)[0];

    private Value[] Nodes(string operation, Value[] inputs, int outputs, string domain, params AttributeProto[] attributes)
    {
        string node = Path(operation);
        int count = _nodeCounts[node] = _nodeCounts.GetValueOrDefault(node) + 1;
        node = $"{node}_{count}";
        string[] names = outputs == 1 ? [node] : [.. Enumerable.Range(0, outputs).Select(i => $"{node}.{i}")];
        NodeProto proto = new() { Name = node, OpType = operation, Input = { inputs.Select(v => v.Name) }, Output = { names }, Attribute = { attributes } };
        if (domain.Length > 0)
        {
            proto.Domain = domain;
        }
        _graph.Node.Add(proto);
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

    private static ValueInfoProto Describe(string value, ElementType type, string[] shape)
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
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type.InFile(), Shape = dimensions } },
        };
    }

    private sealed class Restorer(Action restore) : IDisposable
    {
        public void Dispose() => restore();
    }
}
