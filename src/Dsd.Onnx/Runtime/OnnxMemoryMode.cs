namespace Dsd.Onnx.Runtime;

/// <summary>Which components of an exported model stay open, and with them in the GPU's memory, or the host's where the processor computes.</summary>
public enum OnnxMemoryMode
{
    /// <summary>Every component that was used once. The fastest.</summary>
    Resident,

    /// <summary>
    /// Every component that was used once, but for those that run once before the steps of a generation, as FLUX's modulation does: 6.6 GB of FLUX.1-dev in
    /// 16 bits. They are closed when they have run, and opened anew from their files for the next generation.
    /// </summary>
    ModulationClosed,

    /// <summary>
    /// The one that is in use: text encoders and autoencoder are closed while the transformer's steps run, and the transformer while pictures are decoded.
    /// Each is opened anew for the next picture, from its file. Calls at once may have more open.
    /// </summary>
    IdleClosed,
}
