using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Dsd.Onnx.Export;

/// <summary>Weights of a checkpoint as single precision, whatever floating type they are stored in.</summary>
internal static class FloatReader
{
    /// <summary>Whether elements of this type of the safetensors format can be read.</summary>
    public static bool CanRead(string dtype) => dtype is "F32" or "BF16" or "F16" or "F64";

    /// <summary>Converts <c>values.Length</c> elements from the given one on.</summary>
    public static void Read(ReadOnlySpan<byte> bytes, string dtype, long first, Span<float> values)
    {
        switch (dtype)
        {
            case "F32":
                Elements<float>(bytes, first, values.Length).CopyTo(values);
                break;
            case "F16":
                TensorPrimitives.ConvertToSingle(Elements<Half>(bytes, first, values.Length), values);
                break;
            case "BF16":
                // A bfloat16 is the upper half of a single.
                ReadOnlySpan<ushort> halves = Elements<ushort>(bytes, first, values.Length);
                Span<uint> bits = MemoryMarshal.Cast<float, uint>(values);
                for (int i = 0; i < halves.Length; i++)
                {
                    bits[i] = (uint)halves[i] << 16;
                }
                break;
            case "F64":
                TensorPrimitives.ConvertTruncating(Elements<double>(bytes, first, values.Length), values);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Only floating types can be read as weights.");
        }
    }

    private static ReadOnlySpan<T> Elements<T>(ReadOnlySpan<byte> bytes, long first, int count)
        where T : unmanaged =>
        MemoryMarshal.Cast<byte, T>(bytes).Slice(checked((int)first), count);
}
