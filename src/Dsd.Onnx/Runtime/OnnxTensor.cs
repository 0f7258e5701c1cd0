using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dsd.Onnx.Graph;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Dsd.Onnx.Runtime;

/// <summary>Numbers with a shape that ONNX Runtime reads in place: in the host's memory, or in a device's.</summary>
public sealed class OnnxTensor : IDisposable
{
    private readonly bool _onHost;

    internal OnnxTensor(OrtValue value, TensorElementType type, IReadOnlyList<long> shape, bool onHost)
    {
        Value = value;
        Type = type;
        Shape = shape;
        _onHost = onHost;
    }

    /// <summary>What ONNX Runtime takes.</summary>
    public OrtValue Value { get; }

    /// <summary>The sides.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>The numbers, row after row: changing them changes the tensor.</summary>
    /// <exception cref="InvalidOperationException">They are not in single precision, or not in the host's memory.</exception>
    public Span<float> Floats => Type == TensorElementType.Float
        ? MemoryMarshal.Cast<byte, float>(Bytes)
        : throw new InvalidOperationException($"The tensor's numbers are {Type}, not single precision.");

    internal TensorElementType Type { get; }

    /// <summary>How many numbers there are.</summary>
    internal int Count => (int)Shape.Aggregate(1L, (product, side) => checked(product * side));

    /// <summary>Bytes of one number.</summary>
    internal int ElementSize => SizeOf(Type);

    /// <summary>Bytes of all numbers.</summary>
    internal long ByteCount => (long)Count * ElementSize;

    /// <summary>Where the numbers lie, in the memory that they lie in.</summary>
    internal unsafe nint Address => (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Value.GetTensorMutableRawData()));

    private Span<byte> Bytes =>
        _onHost ? Value.GetTensorMutableRawData() : throw new InvalidOperationException("The tensor lies in a device's memory. Copy it to the host's first.");

    /// <summary>A tensor over the given numbers, which it takes over.</summary>
    public static OnnxTensor Of(float[] values, params long[] shape) =>
        new(OrtValue.CreateTensorValueFromMemory(values, shape), TensorElementType.Float, shape, onHost: true);

    /// <summary>A tensor of real numbers in a type of 16 or 32 bits, rounded to it.</summary>
    /// <exception cref="OverflowException">A number is not finite, or beyond the type's range.</exception>
    internal static OnnxTensor Of(ElementType type, ReadOnlySpan<float> values, params long[] shape)
    {
        OnnxTensor tensor = Empty(
            type switch
            {
                ElementType.Float16 => TensorElementType.Float16,
                ElementType.BFloat16 => TensorElementType.BFloat16,
                _ => TensorElementType.Float,
            },
            shape);
        try
        {
            using UnmanagedMemoryStream bytes = tensor.Stream();
            type.WriteFinite(bytes, values);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>A tensor of token ids.</summary>
    public static OnnxTensor Of(long[] values, params long[] shape) =>
        new(OrtValue.CreateTensorValueFromMemory(values, shape), TensorElementType.Int64, shape, onHost: true);

    /// <summary>A copy of one of a session's outputs, which lies in the host's memory.</summary>
    /// <exception cref="NotSupportedException">Its numbers are neither real numbers of 16 or 32 bits nor whole ones of 64.</exception>
    public static OnnxTensor CopyOf(OrtValue output)
    {
        ArgumentNullException.ThrowIfNull(output);
        OrtTensorTypeAndShapeInfo info = output.GetTensorTypeAndShape();
        OnnxTensor copy = Empty(info.ElementDataType, info.Shape);
        output.GetTensorMutableRawData().CopyTo(copy.Bytes);
        return copy;
    }

    /// <summary>Some rows, in a new tensor. Both lie in the host's memory.</summary>
    /// <param name="rows">Their numbers, from 0; the same may come twice.</param>
    public OnnxTensor Rows(IReadOnlyList<int> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        OnnxTensor some = Empty(Type, [rows.Count, .. Shape.Skip(1)]);
        int size = (int)(ByteCount / Shape[0]);
        for (int i = 0; i < rows.Count; i++)
        {
            Bytes.Slice(rows[i] * size, size).CopyTo(some.Bytes[(i * size)..]);
        }
        return some;
    }

    /// <summary>
    /// Rows that are put together of pieces of others: row after row of the new tensor, the first piece of each row that it is made of, then their second
    /// piece, and so on, tensor after tensor. All lie in the host's memory.
    /// </summary>
    /// <param name="tensors">
    /// Tensors of the same type and the same number of rows, each with how many numbers each piece of its rows has; together these are a row.
    /// </param>
    /// <param name="rows">The rows that each new row is made of.</param>
    internal static OnnxTensor Interleaved(IReadOnlyList<(OnnxTensor Tensor, int[] Pieces)> tensors, IReadOnlyList<int[]> rows)
    {
        OnnxTensor made = Empty(tensors[0].Tensor.Type, [rows.Count, rows[0].Length * tensors.Sum(t => t.Pieces.Sum())]);
        Span<byte> into = made.Bytes;
        foreach (int[] from in rows)
        {
            foreach ((OnnxTensor tensor, int[] pieces) in tensors)
            {
                int width = pieces.Sum();
                int first = 0;
                foreach (int piece in pieces)
                {
                    foreach (int row in from)
                    {
                        int size = piece * tensor.ElementSize;
                        tensor.Bytes.Slice((row * width + first) * tensor.ElementSize, size).CopyTo(into);
                        into = into[size..];
                    }
                    first += piece;
                }
            }
        }
        return made;
    }

    /// <summary>Frees it.</summary>
    public void Dispose() => Value.Dispose();

    internal static int SizeOf(TensorElementType type) => type switch
    {
        TensorElementType.UInt8 => 1,
        TensorElementType.Float16 or TensorElementType.BFloat16 => 2,
        TensorElementType.Float => 4,
        TensorElementType.Int64 => 8,
        _ => throw new NotSupportedException($"Tensors of {type} are not kept."),
    };

    private unsafe UnmanagedMemoryStream Stream() => new((byte*)Address, ByteCount, ByteCount, FileAccess.Write);

    private static OnnxTensor Empty(TensorElementType type, long[] shape) =>
        new(OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, shape), type, shape, onHost: true);
}
