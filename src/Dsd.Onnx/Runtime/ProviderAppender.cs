using System.Globalization;
using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Runtime;

/// <summary>Providers that ONNX Runtime's build contains, and those in a library that is registered.</summary>
internal sealed class ProviderAppender : IProviderAppender
{
    // For each library that is registered, what ONNX Runtime calls the providers in it.
    private static readonly Dictionary<string, string[]> Registered = new(StringComparer.Ordinal);
    private static readonly Lock Registering = new();

    private ProviderAppender()
    {
    }

    public static IProviderAppender Real { get; } = new ProviderAppender();

    public void Append(SessionOptions session, OnnxProvider provider, OnnxRuntimeOptions options)
    {
        ProviderTraits traits = ProviderTraits.Of(provider);
        if (options.ProviderLibraries.TryGetValue(provider, out string? named))
        {
            AppendRegistered(session, traits, named, options, inBuild: null);
            return;
        }
        try
        {
            AppendBuilt(session, provider, options);
        }
        catch (Exception e) when (e is OnnxRuntimeException or EntryPointNotFoundException or NotSupportedException)
        {
            // A build without the provider inside may still load it from a file of its own.
            AppendRegistered(session, traits, Path.Combine(AppContext.BaseDirectory, traits.LibraryFile), options, e);
        }
    }

    /// <summary>What is said where neither the build nor a library has the provider.</summary>
    internal static string IsMissing(ProviderTraits traits, string library, Exception? inBuild) =>
        $"ONNX Runtime has no {traits.Title} here: {(inBuild is null ? "" : $"its build says '{Said(inBuild)}', and ")}there is no provider library "
            + $"'{library}'. Add {traits.ToAdd}, name the library in {nameof(OnnxRuntimeOptions.ProviderLibraries)}, or use another provider.";

    /// <summary>What is said where the build has the provider, but not what the provider needs.</summary>
    internal static string CannotLoad(ProviderTraits traits, Exception inBuild) =>
        $"ONNX Runtime's build has {traits.Title}, but cannot load it: {Said(inBuild)} Check that the driver fits and that the libraries it needs are "
            + "installed, or use another provider.";

    /// <summary>ONNX Runtime's message as a sentence, without the place in its source.</summary>
    internal static string Said(Exception e)
    {
        const string Mark = " : FAIL : ";
        string message = e.Message.Trim();
        int end = message.LastIndexOf(Mark, StringComparison.Ordinal);
        message = end < 0 ? message : message[(end + Mark.Length)..];
        return message.EndsWith('.') ? message : $"{message}.";
    }

    private static void AppendBuilt(SessionOptions session, OnnxProvider provider, OnnxRuntimeOptions options)
    {
        Dictionary<string, string> device = new() { ["device_id"] = options.Device.ToString(CultureInfo.InvariantCulture) };
        switch (provider)
        {
            case OnnxProvider.Cuda:
                using (OrtCUDAProviderOptions cuda = new())
                {
                    cuda.UpdateOptions(new Dictionary<string, string>([.. device, .. Settings(provider, options)]));
                    session.AppendExecutionProvider_CUDA(cuda);
                }
                break;
            case OnnxProvider.TensorRt:
                using (OrtTensorRTProviderOptions tensorRt = new())
                {
                    tensorRt.UpdateOptions(device);
                    session.AppendExecutionProvider_Tensorrt(tensorRt);
                }
                break;
            case OnnxProvider.DirectMl:
                // What DirectML demands.
                session.EnableMemoryPattern = false;
                session.AppendExecutionProvider_DML(options.Device);
                break;
            case OnnxProvider.CoreMl:
                session.AppendExecutionProvider("CoreML", Settings(provider, options));
                break;
            case OnnxProvider.WebGpu:
                session.AppendExecutionProvider("WebGPU", Settings(provider, options));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(provider), provider, "The processor need not be added.");
        }
    }

    /// <summary>A provider's own settings, besides the number of its GPU.</summary>
    internal static Dictionary<string, string> Settings(OnnxProvider provider, OnnxRuntimeOptions options) => provider switch
    {
        OnnxProvider.Cuda => new(options.MemoryBytes is { } most ? [new("gpu_mem_limit", most.ToString(CultureInfo.InvariantCulture))] : [])
        {
            ["use_tf32"] = options.AllowTf32 == true ? "1" : "0",
            // An arena that doubles itself would take up to twice what is needed.
            ["arena_extend_strategy"] = "kSameAsRequested",
            // The autoencoder's convolutions: channels last take less memory and no longer, and so does not trying every algorithm at each new size.
            ["cudnn_conv_algo_search"] = "HEURISTIC",
            ["prefer_nhwc"] = "1",
            ["enable_cuda_graph"] = options.CudaGraphs ? "1" : "0",
        },
        // The older form of Core ML's models lacks most operators.
        OnnxProvider.CoreMl => new() { ["ModelFormat"] = "MLProgram" },
        _ => [],
    };

    private static void AppendRegistered(SessionOptions session, ProviderTraits traits, string library, OnnxRuntimeOptions options, Exception? inBuild)
    {
        if (!File.Exists(library))
        {
            bool built = OrtEnv.Instance().GetAvailableProviders().Contains(traits.RuntimeName);
            throw new NotSupportedException(
                built && inBuild is not null ? CannotLoad(traits, inBuild) : IsMissing(traits, library, inBuild), inBuild);
        }
        try
        {
            OrtEnv environment = OrtEnv.Instance();
            string[] names = Register(environment, traits, library);
            OrtEpDevice[] devices = [.. environment.GetEpDevices().Where(d => names.Contains(d.EpName))];
            if (options.Device >= devices.Length)
            {
                throw new NotSupportedException(
                    $"ONNX Runtime's provider library '{library}' sees {devices.Length} devices, but number {options.Device}, counted from 0, was asked for. "
                        + $"Check the driver, or choose another {nameof(OnnxRuntimeOptions.Device)}.");
            }
            session.AppendExecutionProvider(environment, [devices[options.Device]], Settings(traits.Provider, options));
        }
        catch (OnnxRuntimeException e)
        {
            throw new NotSupportedException(
                $"ONNX Runtime cannot load its provider library '{library}' for {traits.Title}: {Said(e)} Check that it and the driver fit this version of "
                    + "ONNX Runtime and that the libraries it needs are installed, or use another provider.",
                e);
        }
    }

    /// <summary>Registers a library, once in a process.</summary>
    /// <returns>What ONNX Runtime calls its providers.</returns>
    private static string[] Register(OrtEnv environment, ProviderTraits traits, string library)
    {
        string file = Path.GetFullPath(library);
        lock (Registering)
        {
            if (!Registered.TryGetValue(file, out string[]? names))
            {
                HashSet<string> before = [.. environment.GetEpDevices().Select(d => d.EpName)];
                environment.RegisterExecutionProviderLibrary($"dsd.{traits.Word}.{Registered.Count}", file);
                // A library may name its provider as it likes. One whose name was there before can only be told by the usual name.
                names = [.. environment.GetEpDevices().Select(d => d.EpName).Distinct().Where(n => !before.Contains(n) || n == traits.RuntimeName)];
                Registered.Add(file, names);
            }
            return names;
        }
    }
}
