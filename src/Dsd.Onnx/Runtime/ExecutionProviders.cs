using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Runtime;

/// <summary>Which of the providers that were asked for compute, and session options with them.</summary>
internal sealed class ExecutionProviders
{
    private readonly OnnxRuntimeOptions _options;
    private readonly IProviderAppender _appender;

    private ExecutionProviders(OnnxRuntimeOptions options, IProviderAppender appender, IReadOnlyList<OnnxProvider> chosen) =>
        (_options, _appender, Chosen) = (options, appender, chosen);

    /// <summary>Those that compute, the preferred first: one, or TensorRT with CUDA behind it.</summary>
    public IReadOnlyList<OnnxProvider> Chosen { get; }

    /// <summary>Takes the first provider that can be had. It has to open a small model: some are only then found to have no device.</summary>
    /// <exception cref="NotSupportedException">None can be had here; the message says why and what to do.</exception>
    public static ExecutionProviders Choose(OnnxRuntimeOptions options, IProviderAppender appender)
    {
        Telemetry.SwitchOffEvents();
        List<NotSupportedException> faults = [];
        for (int i = 0; i < options.Providers.Count; i++)
        {
            OnnxProvider provider = options.Providers[i];
            try
            {
                Try([provider], options, appender);
            }
            catch (NotSupportedException e)
            {
                faults.Add(e);
                continue;
            }
            if (faults.Count > 0)
            {
                options.Warn?.Invoke($"In place of the providers that were preferred, {ProviderTraits.Of(provider).Title} computes. {Told(faults)}");
            }
            bool behind = provider == OnnxProvider.TensorRt && options.Providers.Skip(i).Contains(OnnxProvider.Cuda);
            return new ExecutionProviders(options, appender, behind ? WithCuda(options, appender) : [provider]);
        }
        throw faults.Count == 1 ? faults[0] : new NotSupportedException($"None of the providers that were asked for can be had. {Told(faults)}", faults[0]);
    }

    /// <summary>Options that the caller disposes.</summary>
    /// <exception cref="NotSupportedException">A provider that could be had before cannot any more.</exception>
    public SessionOptions CreateOptions() => CreateOptions(recordsRuns: false, allowTf32: false);

    /// <summary>The same for a component of a model.</summary>
    /// <param name="recordsRuns">Whether CUDA records its runs.</param>
    /// <param name="allowTf32">Whether a GPU may round numbers of single precision.</param>
    public SessionOptions CreateOptions(bool recordsRuns, bool allowTf32) =>
        CreateOptions(Chosen, _options with { CudaGraphs = recordsRuns, AllowTf32 = allowTf32 }, _appender);

    private static OnnxProvider[] WithCuda(OnnxRuntimeOptions options, IProviderAppender appender)
    {
        OnnxProvider[] both = [OnnxProvider.TensorRt, OnnxProvider.Cuda];
        try
        {
            Try(both, options, appender);
            return both;
        }
        catch (NotSupportedException e)
        {
            options.Warn?.Invoke($"What TensorRT lacks runs on the CPU, since CUDA cannot be had behind it. {e.Message}");
            return [OnnxProvider.TensorRt];
        }
    }

    private static string Told(List<NotSupportedException> faults) => string.Join(' ', faults.Select(f => f.Message));

    private static void Try(IReadOnlyList<OnnxProvider> providers, OnnxRuntimeOptions options, IProviderAppender appender)
    {
        if (providers is [OnnxProvider.Cpu])
        {
            return;
        }
        using SessionOptions session = CreateOptions(providers, options, appender);
        try
        {
            using InferenceSession opened = new(ProbeModel.Bytes, session);
        }
        catch (OnnxRuntimeException e)
        {
            throw new NotSupportedException(
                $"ONNX Runtime has {ProviderTraits.Of(providers[0]).Title}, but it does not start: {ProviderAppender.Said(e)} Check the driver and the number "
                    + $"of the device ({options.Device}), or use another provider.",
                e);
        }
    }

    private static SessionOptions CreateOptions(IReadOnlyList<OnnxProvider> providers, OnnxRuntimeOptions options, IProviderAppender appender)
    {
        SessionOptions session = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        try
        {
            if (options.Threads is { } threads)
            {
                session.IntraOpNumThreads = threads;
            }
            if (providers.Contains(OnnxProvider.Cuda))
            {
                // Weights lie apart from the arena, so that it holds and rounds up only what a run needs.
                session.AddSessionConfigEntry("session.use_device_allocator_for_initializers", "1");
            }
            foreach (OnnxProvider provider in providers.Where(p => p != OnnxProvider.Cpu))
            {
                appender.Append(session, provider, options);
            }
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }
}
