using Dsd.Models.Weights;
using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Runtime;

/// <summary>ONNX Runtime's sessions of one model folder, each opened when it is first used and kept until disposal.</summary>
public sealed class OnnxSessions : IDisposable
{
    private readonly Dictionary<string, InferenceSession> _sessions = [];
    private readonly Lock _opening = new();
    private readonly OnnxModelFolder _folder;
    private readonly OnnxRuntimeOptions _options;
    private readonly IProviderAppender _appender;
    private readonly List<OnnxPlacement> _placements = [];
    private ExecutionProviders? _providers;
    private bool _disposed;

    /// <summary>Opens nothing yet.</summary>
    public OnnxSessions(OnnxModelFolder folder, OnnxRuntimeOptions options)
        : this(folder, options, ProviderAppender.Real)
    {
    }

    internal OnnxSessions(OnnxModelFolder folder, OnnxRuntimeOptions options, IProviderAppender appender) =>
        (_folder, _options, _appender) = (folder, options, appender);

    /// <summary>Where the nodes of the components run, of each that was opened so far, in that order.</summary>
    public IReadOnlyList<OnnxPlacement> Placements
    {
        get
        {
            lock (_opening)
            {
                return [.. _placements];
            }
        }
    }

    /// <summary>Runs a component; the tensors that come out are the caller's.</summary>
    /// <param name="component">The component's folder.</param>
    /// <param name="inputs">Values by input name; an input that the model lacks is refused.</param>
    /// <exception cref="InvalidOperationException">ONNX Runtime could not run the model; the message names its file and the reason, such as too
    /// little memory.</exception>
    public IReadOnlyList<OnnxTensor> Run(string component, params IReadOnlyList<(string Name, OnnxTensor Value)> inputs)
    {
        InferenceSession session = Open(component);
        using RunOptions run = new();
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(
                run,
                [.. inputs.Select(i => i.Name)],
                [.. inputs.Select(i => i.Value.Value)],
                session.OutputNames);
            return [.. outputs.Select(OnnxTensor.CopyOf)];
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidOperationException($"ONNX Runtime cannot run '{_folder.ModelFile(component)}': {e.Message}", e);
        }
    }

    /// <summary>Closes the sessions.</summary>
    public void Dispose()
    {
        lock (_opening)
        {
            _disposed = true;
            foreach (InferenceSession session in _sessions.Values)
            {
                session.Dispose();
            }
            _sessions.Clear();
        }
    }

    private InferenceSession Open(string component)
    {
        lock (_opening)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_sessions.TryGetValue(component, out InferenceSession? session))
            {
                session = Create(component);
                _sessions.Add(component, session);
            }
            return session;
        }
    }

    private InferenceSession Create(string component)
    {
        string file = _folder.ModelFile(component);
        _providers ??= ExecutionProviders.Choose(_options, _appender);
        using SessionOptions settings = _providers.CreateOptions();
        PlacementReader.Record(settings);
        InferenceSession session;
        try
        {
            session = new InferenceSession(file, settings);
        }
        catch (OnnxRuntimeException e)
        {
            throw new WeightsException(file, "a model that ONNX Runtime can open", $"one of which it says '{e.Message}'. Export the model again", e);
        }
        try
        {
            NotePlacement(component, file, session, _providers.Chosen);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private void NotePlacement(string component, string file, InferenceSession session, IReadOnlyList<OnnxProvider> providers)
    {
        if (_placements.Any(p => p.Component == component))
        {
            return;
        }
        OnnxPlacement placement = OnnxPlacement.Of(component, providers, PlacementReader.Read(session), () => ShapeArithmetic.NodesOf(file));
        _placements.Add(placement);
        if (placement.Warning() is { } warning)
        {
            _options.Warn?.Invoke(warning);
        }
    }
}
