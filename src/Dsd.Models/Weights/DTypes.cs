using static TorchSharp.torch;

namespace Dsd.Models.Weights;

/// <summary>The element types of the safetensors format (0.8): their sizes, and which of torch's types each one is read as.</summary>
internal static class DTypes
{
    // Of two that are read as the same type, the first is that type's own word.
    private static readonly Dictionary<string, (int Bits, ScalarType? Type)> Known = new()
    {
        ["F64"] = (64, ScalarType.Float64),
        ["F32"] = (32, ScalarType.Float32),
        ["F16"] = (16, ScalarType.Float16),
        ["BF16"] = (16, ScalarType.BFloat16),
        // TorchSharp has no name for these: they are widened when they are read, which loses nothing.
        ["F8_E4M3"] = (8, ScalarType.Float32),
        ["F8_E5M2"] = (8, ScalarType.Float32),
        ["F8_E4M3FNUZ"] = (8, ScalarType.Float32),
        ["F8_E5M2FNUZ"] = (8, ScalarType.Float32),
        // Scales of blocks, packed numbers and others that no model here has: their bytes can be read, a tensor cannot be made of them.
        ["F8_E8M0"] = (8, null),
        ["F6_E2M3"] = (6, null),
        ["F6_E3M2"] = (6, null),
        ["F4"] = (4, null),
        ["C64"] = (64, null),
        ["U64"] = (64, null),
        ["U32"] = (32, null),
        ["U16"] = (16, null),
        ["I64"] = (64, ScalarType.Int64),
        ["I32"] = (32, ScalarType.Int32),
        ["I16"] = (16, ScalarType.Int16),
        ["I8"] = (8, ScalarType.Int8),
        ["U8"] = (8, ScalarType.Byte),
        ["BOOL"] = (8, ScalarType.Bool),
    };

    /// <summary>Bits of one element; zero for a type that the format does not know.</summary>
    public static int Bits(string dtype) => Known.TryGetValue(dtype, out (int Bits, ScalarType?) known) ? known.Bits : 0;

    /// <summary>The type of torch that a tensor of it is read as, or null where there is none.</summary>
    public static ScalarType? Scalar(string dtype) => Known.TryGetValue(dtype, out (int, ScalarType? Type) known) ? known.Type : null;

    /// <summary>The format's word for a type of torch, or null where it has none.</summary>
    public static string? Name(ScalarType type) => Known.Where(k => k.Value.Type == type).Select(k => k.Key).FirstOrDefault();

    /// <summary>Whether a type holds fractions; a whole number must not be taken for a weight, nor the other way round.</summary>
    public static bool IsFloating(ScalarType type) => type is ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16;

    /// <summary>The types in the order of the format, for messages.</summary>
    public static string Listed => string.Join(", ", Known.Keys);
}
