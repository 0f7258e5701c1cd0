using Dsd.Onnx.Runtime;

namespace Dsd.Onnx.Tests;

/// <summary>A test that needs ONNX Runtime's CUDA provider and a GPU for it. Elsewhere it is skipped.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OnnxGpuFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Missing = new(() =>
    {
        try
        {
            OnnxPipeline.RequireProvider(new OnnxRuntimeOptions { Providers = [OnnxProvider.Cuda] });
            return null;
        }
        catch (NotSupportedException e)
        {
            return e.Message;
        }
    });

    public OnnxGpuFactAttribute() => Skip = Missing.Value;
}
