using Dsd.MLNet;
using Dsd.Onnx.Runtime;

namespace Dsd.Architecture.Tests.DocSamples;

/// <summary>What docs/onnx-runtime.md shows, compiled here.</summary>
internal static class OnnxRuntimeSamples
{
    public static void Open()
    {
        OnnxRuntimeOptions options = new OnnxRuntimeOptions { Warn = Console.Error.WriteLine }.On("cuda,cpu");
        // The same in full:
        options = new() { Providers = [OnnxProvider.Cuda, OnnxProvider.Cpu], Warn = Console.Error.WriteLine };
        using OnnxPipeline pipeline = OnnxPipeline.Open("dsd-onnx", options);
    }

    public static void Stage()
    {
        DsdGeneratorOptions options = new()
        {
            Device = "cuda,cpu",
            Backend = new OnnxGeneration { Runtime = new OnnxRuntimeOptions { Memory = OnnxMemoryMode.IdleClosed } },
        };
    }
}
