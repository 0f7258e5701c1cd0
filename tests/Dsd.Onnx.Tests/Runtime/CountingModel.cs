using Dsd.Onnx.Graph;
using Google.Protobuf;
using DataType = Dsd.Onnx.Graph.TensorProto.Types.DataType;

namespace Dsd.Onnx.Tests.Runtime;

/// <summary>A model that counts in a loop, one step an iteration: <c>y</c> is <c>count</c>. It runs for as long as a test likes.</summary>
internal static class CountingModel
{
    private const int GraphField = 6;

    /// <summary>The model's file.</summary>
    public static byte[] Bytes { get; } = Model([Value("count", DataType.Int64, 1)], [Number("zero", 0), Number("one", 1)]);

    /// <summary>A model with another one's inputs that counts to 2⁵⁰, which takes years.</summary>
    /// <param name="model">The other one's file.</param>
    public static byte[] EndlessLike(string model)
    {
        TensorProto count = new()
        {
            Name = "count",
            DataType = (int)DataType.Int64,
            Dims = { 1 },
            RawData = ByteString.CopyFrom(BitConverter.GetBytes(1L << 50)),
        };
        return Model(ModelProto.Parser.ParseFrom(File.ReadAllBytes(model)).Graph.Input, [count, Number("zero", 0), Number("one", 1)]);
    }

    private static byte[] Model(IEnumerable<ValueInfoProto> inputs, IEnumerable<TensorProto> constants) => new ModelProto
    {
        IrVersion = 9,
        Graph = new GraphProto
        {
            Name = "counting",
            Input = { inputs },
            Initializer = { constants },
            Node = { new NodeProto { Name = "loop", OpType = "Loop", Input = { "count", "", "zero" }, Output = { "y" }, Attribute = { Body() } } },
            // Of any shape, so that it may stand in for a model with a larger output.
            Output = { new ValueInfoProto { Name = "y", Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float } } } },
        },
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 20 } },
    }.ToByteArray();

    // The project writes no attribute that is a graph, so the field is written by its number.
    private static AttributeProto Body()
    {
        byte[] body = new GraphProto
        {
            Name = "body",
            Input = { Value("iteration", DataType.Int64), Value("goes", DataType.Bool), Value("x", DataType.Float, 1) },
            Node =
            {
                new NodeProto { Name = "on", OpType = "Identity", Input = { "goes" }, Output = { "goes_on" } },
                new NodeProto { Name = "next", OpType = "Add", Input = { "x", "one" }, Output = { "x_next" } },
            },
            Output = { Value("goes_on", DataType.Bool), Value("x_next", DataType.Float, 1) },
        }.ToByteArray();
        using MemoryStream stream = new();
        using (CodedOutputStream coded = new(stream, leaveOpen: true))
        {
            coded.WriteTag(GraphField, WireFormat.WireType.LengthDelimited);
            coded.WriteBytes(ByteString.CopyFrom(body));
        }
        AttributeProto attribute = AttributeProto.Parser.ParseFrom(stream.ToArray());
        attribute.Name = "body";
        attribute.Type = AttributeProto.Types.AttributeType.Graph;
        return attribute;
    }

    private static TensorProto Number(string name, float value) =>
        new() { Name = name, DataType = (int)DataType.Float, Dims = { 1 }, RawData = ByteString.CopyFrom(BitConverter.GetBytes(value)) };

    private static ValueInfoProto Value(string name, DataType type, params long[] sides) => new()
    {
        Name = name,
        Type = new TypeProto
        {
            TensorType = new TypeProto.Types.Tensor
            {
                ElemType = (int)type,
                Shape = new TensorShapeProto { Dim = { sides.Select(s => new TensorShapeProto.Types.Dimension { DimValue = s }) } },
            },
        },
    };
}
