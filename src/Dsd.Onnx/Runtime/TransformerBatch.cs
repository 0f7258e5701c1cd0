using Dsd.Models.Sampling;
using Dsd.Onnx.Families;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Dsd.Onnx.Runtime;

/// <summary>
/// The transformer's inputs and output for a number of rows, bound to its session once, where the session computes: from step to step the same places get
/// other numbers, and in a batch that is kept for <see cref="OnnxRuntimeOptions.CudaGraphs"/> from generation to generation too.
/// </summary>
internal sealed class TransformerBatch : IDisposable
{
    private readonly OnnxSessions _sessions;
    private readonly TensorPlace _place;
    private readonly OrtIoBinding _binding;
    private readonly Dictionary<string, OnnxTensor> _constant = [];
    private readonly OnnxTensor? _condition;
    private readonly OnnxTensor _step;
    private readonly List<IDisposable> _bound = [];
    private readonly string _shape;
    private OnnxTensor? _steps;
    private OnnxSessions.Lease? _lease;

    /// <summary>Binds places of any content to a session.</summary>
    /// <param name="manifest">Which inputs the transformer has.</param>
    /// <param name="sessions">Run it.</param>
    /// <param name="session">The transformer's open session.</param>
    /// <param name="shape">What <see cref="ShapeOf"/> says of the other arguments.</param>
    /// <param name="canvas">The sizes.</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="inputs">The network's other inputs, on the host.</param>
    /// <param name="adapters">The factors of adapters, for a transformer that takes them. They must outlive the batch.</param>
    public TransformerBatch(
        OnnxManifest manifest, OnnxSessions sessions, InferenceSession session, string shape, Canvas canvas, int rows, NetworkInputs inputs,
        AdapterFactors? adapters)
    {
        (_sessions, _place, Session, _shape, Adapters) = (sessions, sessions.Place, session, shape, adapters?.Number);
        try
        {
            _binding = session.CreateIoBinding();
            long[] tokens = [rows, canvas.Tokens, manifest.InChannels];
            Latents = Kept(_place.Empty(TensorElementType.Float, tokens));
            Velocity = Kept(_place.Empty(TensorElementType.Float, tokens));
            _binding.BindInput("hidden_states", Latents.Value);
            _binding.BindOutput(session.OutputNames[0], Velocity.Value);
            if (manifest.Conditional)
            {
                _condition = Kept(_place.Empty(TensorElementType.Float, tokens));
                _binding.BindInput("condition_hidden_states", _condition.Value);
            }
            foreach ((string name, OnnxTensor value) in inputs.Constant)
            {
                OnnxTensor here = Kept(_place.Empty(value.Type, [.. value.Shape]));
                _constant.Add(name, here);
                _binding.BindInput(name, here.Value);
            }
            foreach ((string name, OnnxTensor value) in adapters?.Inputs ?? [])
            {
                _binding.BindInput(name, value.Value);
            }
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

    /// <summary>The session that the places are bound to.</summary>
    public InferenceSession Session { get; }

    /// <summary>The number of the adapters that are bound; null is none.</summary>
    public int? Adapters { get; }

    /// <summary>Where the latents of all rows go before a step.</summary>
    public OnnxTensor Latents { get; }

    /// <summary>Where the velocities of all rows are after a step.</summary>
    public OnnxTensor Velocity { get; }

    /// <summary>The number under which a step is recorded; null where steps are not.</summary>
    public int? Recording { get; init; }

    /// <summary>Everything that two batches must share for one to stand in for the other: sizes, and what is bound that does not change.</summary>
    public static string ShapeOf(Canvas canvas, int rows, NetworkInputs inputs, AdapterFactors? adapters)
    {
        IEnumerable<string> constant = inputs.Constant.Select(c => $"{c.Name} {c.Value.Type} {string.Join('×', c.Value.Shape)}");
        IEnumerable<string> pieces = inputs.Pieces.Select(p => $"{p.Name} {string.Join('×', p.Shape)}");
        return $"{rows} rows of {canvas.Tokens} tokens; {string.Join(", ", constant)}; {string.Join(", ", pieces)} of {inputs.Steps.Type}; "
            + $"adapters {adapters?.Number}";
    }

    /// <summary>Whether it can stand in for a new batch.</summary>
    public bool Fits(InferenceSession session, string shape) => Session == session && _shape == shape;

    /// <summary>Takes the numbers of a generation.</summary>
    /// <param name="lease">Keeps the session open; it is given back by <see cref="LetGo"/>.</param>
    /// <param name="inputs">The network's inputs without latents and condition, on the host.</param>
    /// <param name="condition">Fills the condition of all rows, which begins as zeros, for a conditional transformer.</param>
    public void Begin(OnnxSessions.Lease lease, NetworkInputs inputs, Action<OnnxTensor> condition)
    {
        _lease = lease;
        if (_condition is { } given)
        {
            using OnnxTensor zeros = OnnxTensor.Of(new float[given.Count], [.. given.Shape]);
            _place.CopyFromHost(zeros, given);
            condition(given);
        }
        foreach ((string name, OnnxTensor value) in inputs.Constant)
        {
            _place.CopyFromHost(value, _constant[name]);
        }
        _steps = _place.FromHost(inputs.Steps);
    }

    /// <summary>Predicts the velocities of the latents.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="isLast">Whether no step follows.</param>
    /// <param name="cancellationToken">Ends the run between two of its nodes.</param>
    public void Run(int step, bool isLast, CancellationToken cancellationToken)
    {
        _place.Copy(_steps!, step * _step.Count, _step, 0, _step.Count);
        _sessions.RunStep(Recording, isLast, cancellationToken, (session, run) =>
        {
            session.RunWithBinding(run, _binding);
            _binding.SynchronizeBoundOutputs();
        });
    }

    /// <summary>Ends the generation: the session may be closed.</summary>
    public void LetGo()
    {
        _steps?.Dispose();
        _steps = null;
        _lease?.Dispose();
        _lease = null;
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
        LetGo();
    }

    private OnnxTensor Kept(OnnxTensor tensor)
    {
        _bound.Add(tensor);
        return tensor;
    }
}
