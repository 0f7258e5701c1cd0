using Dsd.Models.Sampling;
using Dsd.Onnx.Families;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Dsd.Onnx.Runtime;

/// <summary>
/// The transformer's inputs and output for a number of rows, bound to its session once, where the session computes: from step to step the same places get
/// other numbers.
/// </summary>
internal sealed class TransformerBatch : IDisposable
{
    private readonly OnnxSessions _sessions;
    private readonly TensorPlace _place;
    private readonly OrtIoBinding _binding;
    private readonly OnnxSessions.Lease _lease;
    private readonly OnnxTensor _steps;
    private readonly OnnxTensor _step;
    private readonly List<IDisposable> _bound = [];

    /// <param name="manifest">Which inputs the transformer has.</param>
    /// <param name="sessions">Run it.</param>
    /// <param name="canvas">The sizes.</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="inputs">The network's other inputs, on the host.</param>
    /// <param name="condition">Fills the condition of all rows, which begins as zeros, for a conditional transformer.</param>
    /// <param name="cancellationToken">Ends the opening of the session.</param>
    public TransformerBatch(
        OnnxManifest manifest, OnnxSessions sessions, Canvas canvas, int rows, NetworkInputs inputs, Action<OnnxTensor> condition,
        CancellationToken cancellationToken)
    {
        _sessions = sessions;
        _place = sessions.Place;
        _lease = sessions.Use("transformer", cancellationToken);
        try
        {
            _binding = _lease.Session.CreateIoBinding();
            long[] tokens = [rows, canvas.Tokens, manifest.InChannels];
            Latents = Kept(_place.Empty(TensorElementType.Float, tokens));
            Velocity = Kept(_place.Empty(TensorElementType.Float, tokens));
            _binding.BindInput("hidden_states", Latents.Value);
            _binding.BindOutput(_lease.Session.OutputNames[0], Velocity.Value);
            if (manifest.Conditional)
            {
                using OnnxTensor zeros = OnnxTensor.Of(new float[rows * canvas.LatentSize], tokens);
                OnnxTensor given = Kept(_place.FromHost(zeros));
                condition(given);
                _binding.BindInput("condition_hidden_states", given.Value);
            }
            foreach ((string name, OnnxTensor value) in inputs.Constant)
            {
                _binding.BindInput(name, Kept(_place.FromHost(value)).Value);
            }
            _steps = Kept(_place.FromHost(inputs.Steps));
            _step = Kept(_place.Empty(inputs.Steps.Type, inputs.Steps.Shape[1]));
            int first = 0;
            foreach (NetworkPiece piece in inputs.Pieces)
            {
                _binding.BindInput(piece.Name, Kept(_place.View(_step, first, [.. piece.Shape])).Value);
                first += piece.Count;
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where the latents of all rows go before a step.</summary>
    public OnnxTensor Latents { get; }

    /// <summary>Where the velocities of all rows are after a step.</summary>
    public OnnxTensor Velocity { get; }

    /// <summary>Predicts the velocities of the latents.</summary>
    public void Run(int step, CancellationToken cancellationToken)
    {
        _place.Copy(_steps, step * _step.Count, _step, 0, _step.Count);
        _sessions.Run("transformer", cancellationToken, (session, run) =>
        {
            session.RunWithBinding(run, _binding);
            _binding.SynchronizeBoundOutputs();
            return true;
        });
    }

    /// <summary>Frees the tensors and lets go of the session.</summary>
    public void Dispose()
    {
        _binding?.Dispose();
        // Views before what they look at.
        for (int i = _bound.Count - 1; i >= 0; i--)
        {
            _bound[i].Dispose();
        }
        _bound.Clear();
        _lease.Dispose();
    }

    private OnnxTensor Kept(OnnxTensor tensor)
    {
        _bound.Add(tensor);
        return tensor;
    }
}
