namespace Dsd.Onnx.Runtime;

/// <summary>What is to know of a provider before it is asked for.</summary>
/// <param name="Provider">The provider.</param>
/// <param name="Word">How it is called on command lines and in the names of its library.</param>
/// <param name="Title">How it is called in messages.</param>
/// <param name="RuntimeName">How ONNX Runtime calls it.</param>
/// <param name="Numbered">Whether a GPU is chosen by its number.</param>
/// <param name="ToAdd">What a program lacks that does not have it: the end of a sentence that begins with "Add".</param>
internal sealed record ProviderTraits(OnnxProvider Provider, string Word, string Title, string RuntimeName, bool Numbered, string ToAdd)
{
    private const string Gpu = "the package Microsoft.ML.OnnxRuntime.Gpu to your program (one built from Dsd.MLNet's source: build with -p:DsdOnnxCuda=true)";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<ProviderTraits> All { get; } =
    [
        new(OnnxProvider.Cpu, "cpu", "the CPU", "CPUExecutionProvider", false, "nothing"),
        new(OnnxProvider.Cuda, "cuda", "CUDA", "CUDAExecutionProvider", true, Gpu),
        new(OnnxProvider.TensorRt, "tensorrt", "TensorRT", "TensorrtExecutionProvider", true, $"TensorRT's libraries to the machine and {Gpu}"),
        new(
            OnnxProvider.DirectMl, "directml", "DirectML", "DmlExecutionProvider", true,
            "the package Microsoft.ML.OnnxRuntime.DirectML to your program, which runs under Windows"),
        new(
            OnnxProvider.CoreMl, "coreml", "Core ML", "CoreMLExecutionProvider", false,
            "the package Microsoft.ML.OnnxRuntime to your program and run it under macOS, where its build has Core ML"),
        new(
            OnnxProvider.WebGpu, "webgpu", "WebGPU", "WebGpuExecutionProvider", false,
            "a build of ONNX Runtime with WebGPU, or its provider library, to your program"),
    ];

    /// <summary>Those of a provider.</summary>
    public static ProviderTraits Of(OnnxProvider provider) => All.First(t => t.Provider == provider);

    /// <summary>The provider's name in messages, by ONNX Runtime's name for it, which is kept where it is none of these.</summary>
    public static string TitleOf(string runtimeName) => All.FirstOrDefault(t => t.RuntimeName == runtimeName)?.Title ?? runtimeName;

    /// <summary>The file in which ONNX Runtime's own builds keep the provider, where it has one of its own.</summary>
    public string LibraryFile => OperatingSystem.IsWindows() ? $"onnxruntime_providers_{Word}.dll"
        : OperatingSystem.IsMacOS() ? $"libonnxruntime_providers_{Word}.dylib"
        : $"libonnxruntime_providers_{Word}.so";
}
