using static TorchSharp.torch;

namespace Dsd.Models.Weights;

/// <summary>The element types of the safetensors format: their sizes, and which of torch's types each one is.</summary>
internal static class DTypes
{
    private static readonly Dictionary<string, (int Size, ScalarType? Type)> Known = new()
    {
        ["F64"] = (8, ScalarType.Float64),
        ["F32"] = (4, ScalarType.Float32),
        ["F16"] = (2, ScalarType.Float16),
        ["BF16"] = (2, ScalarType.BFloat16),
        // TorchSharp has no name for these: their bytes can be read, a tensor cannot be made of them.
        ["F8_E4M3"] = (1, null),
        ["F8_E5M2"] = (1, null),
        ["U64"] = (8, null),
        ["U32"] = (4, null),
        ["U16"] = (2, null),
        ["I64"] = (8, ScalarType.Int64),
        ["I32"] = (4, ScalarType.Int32),
        ["I16"] = (2, ScalarType.Int16),
        ["I8"] = (1, ScalarType.Int8),
        ["U8"] = (1, ScalarType.Byte),
        ["BOOL"] = (1, ScalarType.Bool),
    };

    /// <summary>Bytes of one element; zero for a type that the format does not know.</summary>
    public static int Size(string dtype) => Known.TryGetValue(dtype, out (int Size, ScalarType?) known) ? known.Size : 0;

    /// <summary>Torch's type, or null where TorchSharp has none.</summary>
    public static ScalarType? Scalar(string dtype) => Known.TryGetValue(dtype, out (int, ScalarType? Type) known) ? known.Type : null;

    /// <summary>The format's word for a type of torch, or null where it has none.</summary>
    public static string? Name(ScalarType type) => Known.Where(k => k.Value.Type == type).Select(k => k.Key).FirstOrDefault();

    /// <summary>Whether a type holds fractions; a whole number must not be taken for a weight, nor the other way round.</summary>
    public static bool IsFloating(ScalarType type) => type is ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16;

    /// <summary>The types in the order of the format, for messages.</summary>
    public static string Listed => string.Join(", ", Known.Keys);
}
