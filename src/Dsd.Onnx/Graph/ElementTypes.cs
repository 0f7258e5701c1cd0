using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using DataType = Dsd.Onnx.Graph.TensorProto.Types.DataType;

namespace Dsd.Onnx.Graph;

/// <summary>What each <see cref="ElementType"/> is in a model's file, and how numbers are written in it.</summary>
internal static class ElementTypes
{
    // Numbers are narrowed a block at a time, so that memory is bounded.
    private const int Block = 1 << 16;

    // Numbers that are rounded together: they stay in a processor's first cache.
    private const int Together = 1024;

    /// <summary>The type's number in the format.</summary>
    public static DataType InFile(this ElementType type) => type switch
    {
        ElementType.Float32 => DataType.Float,
        ElementType.Float16 => DataType.Float16,
        ElementType.BFloat16 => DataType.Bfloat16,
        ElementType.Float64 => DataType.Double,
        ElementType.Int64 => DataType.Int64,
        ElementType.UInt8 => DataType.Uint8,
        ElementType.Int8 => DataType.Int8,
        ElementType.Bool => DataType.Bool,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "There is no such type of elements."),
    };

    /// <summary>Bytes of one element.</summary>
    public static long Bytes(this ElementType type) => type switch
    {
        ElementType.Float64 or ElementType.Int64 => 8,
        ElementType.Float32 => 4,
        ElementType.Float16 or ElementType.BFloat16 => 2,
        _ => 1,
    };

    /// <summary>Refuses what is no type of real numbers.</summary>
    public static ElementType RequireFloats(ElementType type, string parameter) =>
        type is ElementType.Float32 or ElementType.Float16 or ElementType.BFloat16
            ? type
            : throw new ArgumentOutOfRangeException(parameter, type, $"Networks compute in Float32, Float16 or BFloat16, but {type} was asked for.");

    /// <summary>Writes numbers in a type, rounded to the nearest, ties to even.</summary>
    /// <exception cref="OverflowException">A finite number is beyond the type's range.</exception>
    public static void Write(this ElementType type, Stream stream, ReadOnlySpan<float> values)
    {
        if (type == ElementType.Float32)
        {
            stream.Write(MemoryMarshal.AsBytes(values));
            return;
        }
        Span<ushort> narrow = new ushort[Math.Min(Block, values.Length)];
        for (int first = 0; first < values.Length; first += narrow.Length)
        {
            ReadOnlySpan<float> block = values.Slice(first, Math.Min(narrow.Length, values.Length - first));
            Narrow(type, block, narrow);
            stream.Write(MemoryMarshal.AsBytes(narrow[..block.Length]));
        }
    }

    /// <summary>Writes numbers as <see cref="Write"/> does, and refuses those that are none.</summary>
    /// <exception cref="OverflowException">A number is not finite, or beyond the type's range.</exception>
    public static void WriteFinite(this ElementType type, Stream stream, ReadOnlySpan<float> values)
    {
        if (!float.IsFinite(TensorPrimitives.MaxMagnitude(values)))
        {
            throw new OverflowException("NaN or infinity");
        }
        type.Write(stream, values);
    }

    /// <summary>Widens what <see cref="Write"/> wrote.</summary>
    public static void Read(this ElementType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        switch (RequireFloats(type, nameof(type)))
        {
            case ElementType.Float32:
                MemoryMarshal.Cast<byte, float>(bytes).CopyTo(values);
                break;
            case ElementType.Float16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(bytes), values);
                break;
            default:
                Span<uint> bits = MemoryMarshal.Cast<float, uint>(values);
                TensorPrimitives.ConvertTruncating<ushort, uint>(MemoryMarshal.Cast<byte, ushort>(bytes), bits);
                TensorPrimitives.ShiftLeft(bits, 16, bits);
                break;
        }
    }

    /// <summary>The lowest finite number of a type of real numbers.</summary>
    public static float Lowest(ElementType type) => type switch
    {
        ElementType.Float16 => (float)Half.MinValue,
        ElementType.BFloat16 => BitConverter.UInt32BitsToSingle(0xFF7F0000),
        _ => float.MinValue,
    };

    /// <summary>A number as the type holds it.</summary>
    public static float Rounded(ElementType type, float value) => type switch
    {
        ElementType.Float16 => (float)(Half)value,
        ElementType.BFloat16 => BitConverter.UInt32BitsToSingle((uint)BFloat16(value) << 16),
        _ => value,
    };

    /// <summary>Numbers in a type of 16 bits.</summary>
    /// <exception cref="OverflowException">A finite number is beyond the type's range.</exception>
    public static void Narrow(ElementType type, ReadOnlySpan<float> values, Span<ushort> narrow)
    {
        if (type == ElementType.Float16)
        {
            Span<Half> halves = MemoryMarshal.Cast<ushort, Half>(narrow)[..values.Length];
            TensorPrimitives.ConvertToHalf(values, halves);
            // A finite number beyond the range becomes infinite. Seldom is there one, so that all are asked together first.
            bool mayBeBeyond = values.Length > 0 && !(MathF.Abs(TensorPrimitives.MaxMagnitude(values)) <= (float)Half.MaxValue);
            for (int i = 0; mayBeBeyond && i < values.Length; i++)
            {
                if (Half.IsInfinity(halves[i]) && float.IsFinite(values[i]))
                {
                    throw new OverflowException($"{values[i]:G4}, which is beyond float16's 65,504. Export in bfloat16 or float32");
                }
            }
            return;
        }
        if (values.Length > 0 && float.IsNaN(TensorPrimitives.MaxMagnitude(values)))
        {
            for (int i = 0; i < values.Length; i++)
            {
                narrow[i] = BFloat16(values[i]);
            }
            return;
        }
        // The same for many at once: the upper half of the bits, rounded to the nearest, ties to even.
        ReadOnlySpan<uint> bits = MemoryMarshal.Cast<float, uint>(values);
        Span<uint> rounded = stackalloc uint[Math.Min(Together, values.Length)];
        for (int first = 0; first < values.Length; first += Together)
        {
            ReadOnlySpan<uint> part = bits[first..Math.Min(values.Length, first + Together)];
            Span<uint> sum = rounded[..part.Length];
            TensorPrimitives.ShiftRightLogical(part, 16, sum);
            TensorPrimitives.BitwiseAnd(sum, 1u, sum);
            TensorPrimitives.Add(sum, part, sum);
            TensorPrimitives.Add(sum, 0x7FFFu, sum);
            TensorPrimitives.ShiftRightLogical(sum, 16, sum);
            TensorPrimitives.ConvertTruncating<uint, ushort>(sum, narrow.Slice(first, part.Length));
        }
    }

    private static ushort BFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        // NaN keeps its sign and stays one; everything else is rounded to the nearest, ties to even.
        return (ushort)(float.IsNaN(value) ? (bits >> 16) | 0x40 : (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
