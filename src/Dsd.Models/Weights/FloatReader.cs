using System.Runtime.InteropServices;

namespace Dsd.Models.Weights;

/// <summary>Weights of a checkpoint as single precision, whatever floating type they are stored in.</summary>
internal static class FloatReader
{
    /// <summary>Converts as many elements as there is room for.</summary>
    public static void Read(ReadOnlySpan<byte> bytes, string dtype, Span<float> values)
    {
        switch (dtype)
        {
            case "F32":
                Elements<float>(bytes, values.Length).CopyTo(values);
                break;
            case "F16":
                ReadOnlySpan<Half> small = Elements<Half>(bytes, values.Length);
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = (float)small[i];
                }
                break;
            case "BF16":
                // A bfloat16 is the upper half of a single.
                ReadOnlySpan<ushort> halves = Elements<ushort>(bytes, values.Length);
                Span<uint> bits = MemoryMarshal.Cast<float, uint>(values);
                for (int i = 0; i < halves.Length; i++)
                {
                    bits[i] = (uint)halves[i] << 16;
                }
                break;
            case "F64":
                ReadOnlySpan<double> large = Elements<double>(bytes, values.Length);
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = (float)large[i];
                }
                break;
            case var narrow when Float8.Is(narrow):
                Float8.Widen(dtype, bytes, values);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Only floating types can be read as weights.");
        }
    }

    private static ReadOnlySpan<T> Elements<T>(ReadOnlySpan<byte> bytes, int count)
        where T : unmanaged =>
        MemoryMarshal.Cast<byte, T>(bytes)[..count];
}
