namespace Dsd.Onnx.Runtime;

/// <summary>Where ONNX Runtime computes.</summary>
public enum OnnxProvider
{
    /// <summary>The processor.</summary>
    Cpu,

    /// <summary>An NVIDIA GPU, through ONNX Runtime's CUDA provider.</summary>
    Cuda,
}
