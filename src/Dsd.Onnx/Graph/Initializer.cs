using System.Runtime.InteropServices;

namespace Dsd.Onnx.Graph;

/// <summary>A constant tensor of a graph whose bytes are made only when the model is written, so that no model is ever in memory whole.</summary>
/// <param name="Name">Its name, unique in the graph.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions; none is a scalar.</param>
/// <param name="Write">Writes exactly <see cref="ByteLength"/> bytes, little-endian, rows first.</param>
public sealed record Initializer(string Name, ElementType Type, IReadOnlyList<long> Shape, Action<Stream, CancellationToken> Write)
{
    /// <summary>
    /// What adapters change in this constant, where an earlier export wrote it without them; null is nothing. What it gives when it is called has the
    /// adapters' factors in memory.
    /// </summary>
    internal Func<ConstantAdapter>? Adapt { get; init; }

    /// <summary>Whether adapters hold these numbers whole, so that <see cref="Write"/> needs no checkpoint.</summary>
    internal bool IsReplaced { get; init; }

    /// <summary>Bytes of the whole tensor.</summary>
    public long ByteLength => Shape.Aggregate(Type.Bytes(), (bytes, side) => checked(bytes * side));

    /// <summary>A constant of real numbers that are in memory already, in the type given.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type"><see cref="ElementType.Float32"/>, <see cref="ElementType.Float16"/> or <see cref="ElementType.BFloat16"/>.</param>
    /// <param name="values">The numbers, rows first.</param>
    /// <param name="shape">Dimensions.</param>
    public static Initializer Of(string name, ElementType type, float[] values, params long[] shape) =>
        new(name, ElementTypes.RequireFloats(type, nameof(type)), shape, (stream, _) => type.Write(stream, values));

    /// <summary>A constant of whole numbers that are in memory already.</summary>
    public static Initializer Of(string name, long[] values, params long[] shape) =>
        new(name, ElementType.Int64, shape, (stream, _) => stream.Write(MemoryMarshal.AsBytes<long>(values)));

    /// <summary>A constant in double precision that is in memory already.</summary>
    public static Initializer Of(string name, double[] values, params long[] shape) =>
        new(name, ElementType.Float64, shape, (stream, _) => stream.Write(MemoryMarshal.AsBytes<double>(values)));
}

/// <summary>Changes some rows of a constant, as its first dimension counts them.</summary>
/// <param name="first">The first row.</param>
/// <param name="rows">How many rows.</param>
/// <param name="values">Their numbers.</param>
internal delegate void ConstantAdapter(int first, int rows, Memory<float> values);
