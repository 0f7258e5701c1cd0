using Dsd.Models.Weights;
using Microsoft.ML.OnnxRuntime;

namespace Dsd.Onnx.Runtime;

/// <summary>ONNX Runtime's sessions of one model folder, each opened when it is first used and kept until disposal.</summary>
public sealed class OnnxSessions(OnnxModelFolder folder, OnnxRuntimeOptions options) : IDisposable
{
    private readonly Dictionary<string, InferenceSession> _sessions = [];
    private readonly Lock _opening = new();
    private bool _disposed;

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
            throw new InvalidOperationException($"ONNX Runtime cannot run '{folder.ModelFile(component)}': {e.Message}", e);
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
                string file = folder.ModelFile(component);
                using SessionOptions settings = ExecutionProviders.Create(options);
                try
                {
                    session = new InferenceSession(file, settings);
                }
                catch (OnnxRuntimeException e)
                {
                    throw new WeightsException(file, "a model that ONNX Runtime can open", $"one of which it says '{e.Message}'. Export the model again", e);
                }
                _sessions.Add(component, session);
            }
            return session;
        }
    }
}
