namespace Dsd.Models.Weights;

/// <summary>One tensor of a safetensors file, as its header describes it.</summary>
/// <param name="Name">The tensor's key.</param>
/// <param name="DType">The element type by the format's own name: F64, F32, F16, BF16, F8_E4M3, F8_E5M2, I64, I32, I16, I8, U8, BOOL and others.</param>
/// <param name="Shape">Sizes of the dimensions; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">The byte after the last, counted from the end of the header.</param>
public sealed record TensorEntry(string Name, string DType, long[] Shape, long Begin, long End)
{
    /// <summary>How many bytes the tensor takes.</summary>
    public long ByteLength => End - Begin;

    /// <summary>How many elements the tensor has.</summary>
    public long ElementCount => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>Whether the elements are numbers with fractions that can be read as weights.</summary>
    public bool IsFloating => DTypes.Scalar(DType) is { } type && DTypes.IsFloating(type);

    /// <summary>Type and shape in one short text, for messages.</summary>
    public override string ToString() => $"{DType} [{string.Join(", ", Shape)}]";
}
