using Microsoft.ML.Runtime;

namespace Dsd.MLNet.Stages.Running;

/// <summary>What an <c>MLContext</c> says where an option is left open. An option that is given goes before it.</summary>
internal static class ContextDefaults
{
    /// <summary>The seed: the option's, else the context's, else 0.</summary>
    public static long Seed(IHostEnvironment environment, long? option) => option ?? (environment as IHostEnvironmentInternal)?.Seed ?? 0;

    /// <summary>The folder that scratch files go below, where the context names another than the system's. Null is the system's.</summary>
    public static string? TemporaryFolder(IHostEnvironment environment) =>
        (environment as IHostEnvironmentInternal)?.TempFilePath is { Length: > 0 } path && Trimmed(path) != Trimmed(Path.GetTempPath()) ? path : null;

    /// <summary>Where TorchSharp computes: the option's device, else the GPU that the context names, else the processor.</summary>
    /// <param name="environment">The context.</param>
    /// <param name="option">The stage's option. Null is left open.</param>
    /// <param name="models">Says which GPUs there are.</param>
    /// <param name="warn">Told where the processor takes the place of a GPU. Null: nobody.</param>
    /// <exception cref="ArgumentException">The context names a GPU that is not there, and does not fall back to the processor.</exception>
    public static string TorchDevice(IHostEnvironment environment, string? option, IStageModels models, Action<string>? warn = null)
    {
        if (option is not null || environment is not IHostEnvironmentInternal { GpuDeviceId: { } gpu } context)
        {
            return option ?? "cpu";
        }
        if (models.HasGpu(gpu))
        {
            return $"cuda:{gpu}";
        }
        string missing = $"MLContext.GpuDeviceId is {gpu}, but this machine has no such CUDA device, or this program the libtorch of the CPU";
        if (!context.FallbackToCpu)
        {
            throw new ArgumentException($"{missing}. Set MLContext.FallbackToCpu to compute on the processor then, or the stage's option Device to 'cpu'.");
        }
        warn?.Invoke($"{missing}: the processor computes, as MLContext.FallbackToCpu asks.");
        return "cpu";
    }

    /// <summary>Where ONNX Runtime computes, as <see cref="TorchDevice"/>. ONNX Runtime itself falls back where the context allows it.</summary>
    public static string OnnxDevice(IHostEnvironment environment, string? option) => option
        ?? (environment is IHostEnvironmentInternal { GpuDeviceId: { } gpu } context ? $"cuda:{gpu}{(context.FallbackToCpu ? ",cpu" : "")}" : "cpu");

    private static string Trimmed(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
}
