using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Runtime;

/// <summary>Session options for a choice of provider.</summary>
internal static class ExecutionProviders
{
    private const string CudaName = "CUDAExecutionProvider";
    private const string CudaRegistration = "cuda";
    private const string Tf32 = "use_tf32";
    private static readonly Lock Registering = new();
    private static bool _registered;

    /// <summary>Options that the caller disposes.</summary>
    /// <exception cref="NotSupportedException">The provider cannot be had here; the message says why and what to do.</exception>
    public static SessionOptions Create(OnnxRuntimeOptions options)
    {
        Telemetry.SwitchOffEvents();
        SessionOptions session = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        try
        {
            if (options.Threads is { } threads)
            {
                session.IntraOpNumThreads = threads;
            }
            if (options.Provider == OnnxProvider.Cuda)
            {
                AppendCuda(session, options);
            }
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private static void AppendCuda(SessionOptions session, OnnxRuntimeOptions options)
    {
        try
        {
            using OrtCUDAProviderOptions cuda = new();
            cuda.UpdateOptions(new Dictionary<string, string> { ["device_id"] = $"{options.Device}", [Tf32] = options.AllowTf32 ? "1" : "0" });
            session.AppendExecutionProvider_CUDA(cuda);
        }
        catch (Exception inBuild) when (inBuild is OnnxRuntimeException or EntryPointNotFoundException)
        {
            // A build without CUDA inside may still load the provider from a file of its own.
            AppendRegisteredCuda(session, options, inBuild);
        }
    }

    private static void AppendRegisteredCuda(SessionOptions session, OnnxRuntimeOptions options, Exception inBuild)
    {
        string library = options.CudaProviderLibrary ?? Path.Combine(
            AppContext.BaseDirectory,
            RuntimeInformation.IsOSPlatform(OSPlatform.Windows) ? "onnxruntime_providers_cuda.dll" : "libonnxruntime_providers_cuda.so");
        if (!File.Exists(library))
        {
            throw new NotSupportedException(
                $"ONNX Runtime has no CUDA here: its build says '{inBuild.Message}', and there is no provider library '{library}'. "
                + $"Add the package Microsoft.ML.OnnxRuntime.Gpu to your program (one built from Dsd.MLNet's source: build with -p:DsdOnnxCuda=true), "
                + $"name the library in {nameof(OnnxRuntimeOptions.CudaProviderLibrary)}, or use {nameof(OnnxProvider.Cpu)}.",
                inBuild);
        }
        try
        {
            OrtEnv environment = OrtEnv.Instance();
            lock (Registering)
            {
                if (!_registered)
                {
                    environment.RegisterExecutionProviderLibrary(CudaRegistration, library);
                    _registered = true;
                }
            }
            OrtEpDevice[] devices = [.. environment.GetEpDevices().Where(d => d.EpName == CudaName)];
            if (options.Device >= devices.Length)
            {
                throw new NotSupportedException(
                    $"ONNX Runtime's CUDA provider '{library}' sees {devices.Length} GPUs, but GPU {options.Device} was asked for. Check the driver, "
                        + $"or choose another {nameof(OnnxRuntimeOptions.Device)}.");
            }
            session.AppendExecutionProvider(environment, [devices[options.Device]], new Dictionary<string, string> { [Tf32] = options.AllowTf32 ? "1" : "0" });
        }
        catch (OnnxRuntimeException e)
        {
            throw new NotSupportedException(
                $"ONNX Runtime cannot load its CUDA provider '{library}': {e.Message} Check that CUDA, cuDNN and the driver fit it, "
                    + $"or use {nameof(OnnxProvider.Cpu)}.",
                e);
        }
    }
}
