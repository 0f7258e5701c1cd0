using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Dsd.Onnx.Runtime;

/// <summary>Numbers in managed memory with a shape, which ONNX Runtime reads in place.</summary>
public sealed class OnnxTensor : IDisposable
{
    private readonly Array _values;

    private OnnxTensor(OrtValue value, TensorElementType type, Array values, long[] shape)
    {
        Value = value;
        Type = type;
        _values = values;
        Shape = shape;
    }

    /// <summary>What ONNX Runtime takes.</summary>
    public OrtValue Value { get; }

    /// <summary>The sides.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>The numbers, row after row: changing them changes the tensor.</summary>
    /// <exception cref="InvalidOperationException">They are not in single precision.</exception>
    public Span<float> Floats => _values as float[] ?? throw new InvalidOperationException($"The tensor's numbers are {Type}, not single precision.");

    internal TensorElementType Type { get; }

    private Span<byte> Bytes => Value.GetTensorMutableRawData();

    /// <summary>A tensor over the given numbers, which it takes over.</summary>
    public static OnnxTensor Of(float[] values, params long[] shape) =>
        new(OrtValue.CreateTensorValueFromMemory(values, shape), TensorElementType.Float, values, shape);

    /// <summary>A tensor of token ids.</summary>
    public static OnnxTensor Of(long[] values, params long[] shape) =>
        new(OrtValue.CreateTensorValueFromMemory(values, shape), TensorElementType.Int64, values, shape);

    /// <summary>A copy of one of a session's outputs.</summary>
    /// <exception cref="NotSupportedException">Its numbers are neither real numbers of 16 or 32 bits nor whole ones of 64.</exception>
    public static OnnxTensor CopyOf(OrtValue output)
    {
        ArgumentNullException.ThrowIfNull(output);
        OrtTensorTypeAndShapeInfo info = output.GetTensorTypeAndShape();
        OnnxTensor copy = Empty(info.ElementDataType, info.Shape);
        output.GetTensorMutableRawData().CopyTo(copy.Bytes);
        return copy;
    }

    /// <summary>Some rows, in a new tensor.</summary>
    /// <param name="rows">Their numbers, from 0; the same may come twice.</param>
    public OnnxTensor Rows(IReadOnlyList<int> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return Part(rows, 0, RowSize, [rows.Count, .. Shape.Skip(1)]);
    }

    /// <summary>Neighbouring numbers of some rows, in a new tensor.</summary>
    /// <param name="rows">The rows' numbers, from 0; the same may come twice.</param>
    /// <param name="first">The first number of each row.</param>
    /// <param name="count">How many.</param>
    /// <param name="shape">The new tensor's shape.</param>
    internal OnnxTensor Part(IReadOnlyList<int> rows, int first, int count, params long[] shape)
    {
        OnnxTensor part = Empty(Type, shape);
        ReadOnlySpan<byte> from = Bytes;
        Span<byte> into = part.Bytes;
        int size = from.Length / _values.Length;
        for (int i = 0; i < rows.Count; i++)
        {
            from.Slice((rows[i] * RowSize + first) * size, count * size).CopyTo(into[(i * count * size)..]);
        }
        return part;
    }

    /// <summary>Frees it.</summary>
    public void Dispose() => Value.Dispose();

    private int RowSize => _values.Length / (int)Shape[0];

    private static OnnxTensor Empty(TensorElementType type, long[] shape)
    {
        long count = shape.Aggregate(1L, (product, side) => checked(product * side));
        return type switch
        {
            TensorElementType.Float => Over(new float[count], type, shape),
            TensorElementType.Float16 => Over(new Float16[count], type, shape),
            TensorElementType.BFloat16 => Over(new BFloat16[count], type, shape),
            TensorElementType.Int64 => Over(new long[count], type, shape),
            _ => throw new NotSupportedException($"Tensors of {type} are not kept."),
        };
    }

    private static OnnxTensor Over<T>(T[] values, TensorElementType type, long[] shape)
        where T : unmanaged => new(OrtValue.CreateTensorValueFromMemory(values, shape), type, values, shape);
}
