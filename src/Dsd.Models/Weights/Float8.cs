namespace Dsd.Models.Weights;

/// <summary>The floating-point numbers of eight bits that weights are stored in, and their exact values in single precision.</summary>
internal static class Float8
{
    private static readonly Dictionary<string, float[]> Tables = new()
    {
        // What torch calls float8_e4m3fn: no infinity, and one pattern that is no number.
        ["F8_E4M3"] = Table(mantissaBits: 3, bias: 7, bits => (bits & 0x7f) == 0x7f ? float.NaN : null),
        ["F8_E5M2"] = Table(mantissaBits: 2, bias: 15, bits => (bits & 0x7f) switch
        {
            < 0x7c => null,
            0x7c => bits < 0x80 ? float.PositiveInfinity : float.NegativeInfinity,
            _ => float.NaN,
        }),
        // Those of AMD: the pattern of minus zero is no number.
        ["F8_E4M3FNUZ"] = Table(mantissaBits: 3, bias: 8, bits => bits == 0x80 ? float.NaN : null),
        ["F8_E5M2FNUZ"] = Table(mantissaBits: 2, bias: 16, bits => bits == 0x80 ? float.NaN : null),
    };

    /// <summary>Whether this is the format's word for one of them.</summary>
    public static bool Is(string dtype) => Tables.ContainsKey(dtype);

    /// <summary>The values of as many bytes.</summary>
    public static void Widen(string dtype, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        float[] table = Tables[dtype];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = table[bytes[i]];
        }
    }

    private static float[] Table(int mantissaBits, int bias, Func<int, float?> special)
    {
        float[] table = new float[256];
        for (int bits = 0; bits < table.Length; bits++)
        {
            int exponent = (bits & 0x7f) >> mantissaBits;
            int mantissa = bits & ((1 << mantissaBits) - 1);
            // Numbers below the least exponent have no leading one.
            float size = exponent == 0
                ? mantissa * MathF.ScaleB(1, 1 - bias - mantissaBits)
                : (mantissa + (1 << mantissaBits)) * MathF.ScaleB(1, exponent - bias - mantissaBits);
            table[bits] = special(bits) ?? (bits < 0x80 ? size : -size);
        }
        return table;
    }
}
