namespace Dsd.MLNet;

/// <summary>What runs an encoder's network.</summary>
public enum EmbeddingScoring
{
    /// <summary>
    /// <see cref="OnnxTransformer"/> where the device is the processor and the transform serves, else <see cref="OnnxRuntime"/>. The context's log says which.
    /// </summary>
    Automatic,

    /// <summary>
    /// ML.NET's <c>ApplyOnnxModel</c>, a picture at a time, on the processor or CUDA. It serves where the weights lie inside the model's file, and where no
    /// option of ONNX Runtime is set. It holds the weights twice.
    /// </summary>
    OnnxTransformer,

    /// <summary>ONNX Runtime itself, in batches, on any of its devices, with any options.</summary>
    OnnxRuntime,
}
