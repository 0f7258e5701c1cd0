using Dsd.Onnx.Graph;
using Google.Protobuf;

namespace Dsd.Onnx.Runtime;

/// <summary>A model of one addition. A provider that opens it can be had.</summary>
internal static class ProbeModel
{
    private const int Width = 64;

    /// <summary>The model's file.</summary>
    public static byte[] Bytes { get; } = new ModelProto
    {
        IrVersion = 9,
        ProducerName = "Dsd.MLNet",
        Graph = new GraphProto
        {
            Name = "probe",
            Node = { new NodeProto { Name = "sum", OpType = "Add", Input = { "x", "x" }, Output = { "y" } } },
            Input = { Vector("x") },
            Output = { Vector("y") },
        },
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 20 } },
    }.ToByteArray();

    private static ValueInfoProto Vector(string name) => new()
    {
        Name = name,
        Type = new TypeProto
        {
            TensorType = new TypeProto.Types.Tensor
            {
                ElemType = (int)TensorProto.Types.DataType.Float,
                Shape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dimension { DimValue = Width } } },
            },
        },
    };
}
