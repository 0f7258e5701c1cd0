namespace Dsd.Onnx.Export;

/// <summary>The precision of an export's weights.</summary>
public enum ExportPrecision
{
    /// <summary>Single precision throughout.</summary>
    Float32,

    /// <summary>
    /// Half precision: the network, its modulation and CLIP. T5, whose states leave half precision's range, is written in bfloat16 for CUDA and in single
    /// precision otherwise. The autoencoder stays in single precision.
    /// </summary>
    Float16,

    /// <summary>
    /// bfloat16: the network, its modulation, and the text encoders. ONNX Runtime's CPU provider cannot run it. The autoencoder stays in single precision.
    /// </summary>
    BFloat16,

    /// <summary>
    /// Weights of linear layers in 8 bits: of the network, its modulation and T5. What is computed between them is bfloat16 for CUDA, single precision
    /// otherwise.
    /// </summary>
    Int8,

    /// <summary>As <see cref="Int8"/>, with the network's blocks in 4 bits.</summary>
    Int4,
}
