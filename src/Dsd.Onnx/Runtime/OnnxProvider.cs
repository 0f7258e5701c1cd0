namespace Dsd.Onnx.Runtime;

/// <summary>Where ONNX Runtime computes. <see cref="Cpu"/> and <see cref="Cuda"/> have been run; the others are untried.</summary>
public enum OnnxProvider
{
    /// <summary>The processor. It is always there.</summary>
    Cpu,

    /// <summary>An NVIDIA GPU, through ONNX Runtime's CUDA provider.</summary>
    Cuda,

    /// <summary>
    /// An NVIDIA GPU, through TensorRT, which has to be installed. It builds an engine for each size when it is first met, which takes minutes for a large
    /// model. What it leaves goes to <see cref="Cuda"/> where that is named after it. Untried.
    /// </summary>
    TensorRt,

    /// <summary>Any GPU with DirectX 12 under Windows, through DirectML. Untried.</summary>
    DirectMl,

    /// <summary>Apple's GPU and neural engine, through Core ML. Untried.</summary>
    CoreMl,

    /// <summary>Any GPU with Vulkan, Metal or DirectX 12, through WebGPU. Untried.</summary>
    WebGpu,
}
