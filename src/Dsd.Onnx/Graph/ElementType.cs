namespace Dsd.Onnx.Graph;

/// <summary>What the numbers of a tensor are.</summary>
public enum ElementType
{
    /// <summary>32 bits, single precision.</summary>
    Float32,

    /// <summary>16 bits, IEEE half precision: 11 digits of fraction, up to 65,504.</summary>
    Float16,

    /// <summary>16 bits, bfloat16: 8 digits of fraction, the range of single precision.</summary>
    BFloat16,

    /// <summary>64 bits, double precision.</summary>
    Float64,

    /// <summary>Whole numbers of 64 bits.</summary>
    Int64,

    /// <summary>Bytes.</summary>
    UInt8,

    /// <summary>Whole numbers from −128 to 127.</summary>
    Int8,

    /// <summary>True or false, a byte each.</summary>
    Bool,
}
