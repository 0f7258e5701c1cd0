using System.Runtime.InteropServices;
using DataType = Dsd.Onnx.Graph.TensorProto.Types.DataType;

namespace Dsd.Onnx.Graph;

/// <summary>A constant tensor of a graph whose bytes are made only when the model is written, so that no model is ever in memory whole.</summary>
/// <param name="Name">Its name, unique in the graph.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions; none is a scalar.</param>
/// <param name="Write">Writes exactly <see cref="ByteLength"/> bytes, little-endian, rows first.</param>
internal sealed record Initializer(string Name, DataType Type, IReadOnlyList<long> Shape, Action<Stream, CancellationToken> Write)
{
    /// <summary>Bytes of the whole tensor.</summary>
    public long ByteLength => Shape.Aggregate(ElementSize(Type), (bytes, side) => checked(bytes * side));

    /// <summary>A constant of values that are in memory already.</summary>
    public static Initializer Of<T>(string name, T[] values, params long[] shape)
        where T : unmanaged =>
        new(name, TypeOf<T>(), shape, (stream, _) => stream.Write(MemoryMarshal.AsBytes<T>(values)));

    private static DataType TypeOf<T>() =>
        typeof(T) == typeof(float) ? DataType.Float
        : typeof(T) == typeof(double) ? DataType.Double
        : typeof(T) == typeof(long) ? DataType.Int64
        : throw new ArgumentException($"No initializer of {typeof(T).Name} is written.");

    private static long ElementSize(DataType type) => type switch
    {
        DataType.Float => 4,
        DataType.Int64 or DataType.Double => 8,
        DataType.Bool => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "No initializer of this type is written."),
    };
}
