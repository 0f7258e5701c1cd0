namespace Dsd.Onnx.Runtime;

/// <summary>Which components of an exported model stay open, and with them in the GPU's memory, or the host's where the processor computes.</summary>
public enum OnnxMemoryMode
{
    /// <summary>Every component that was used once. The fastest.</summary>
    Resident,

    /// <summary>
    /// The one that is in use: text encoders and autoencoder are closed while the transformer's steps run, and the transformer while pictures are decoded.
    /// Each is opened anew for the next picture, from its file. Calls at once may have more open.
    /// </summary>
    IdleClosed,
}
