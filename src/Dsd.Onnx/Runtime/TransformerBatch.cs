using Dsd.Models.Sampling;
using Dsd.Onnx.Families;

namespace Dsd.Onnx.Runtime;

/// <summary>The transformer's inputs for a number of rows, reused from step to step: only latents and what is of one step change.</summary>
internal sealed class TransformerBatch : IDisposable
{
    private readonly OnnxTensor _latents;
    private readonly OnnxTensor? _condition;
    private readonly NetworkInputs _inputs;

    /// <param name="manifest">Which inputs the transformer has.</param>
    /// <param name="canvas">The sizes.</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="inputs">The network's other inputs; the batch disposes them.</param>
    /// <param name="condition">Condition tokens of all rows, for a conditional transformer.</param>
    public TransformerBatch(OnnxManifest manifest, Canvas canvas, int rows, NetworkInputs inputs, float[] condition)
    {
        _latents = OnnxTensor.Of(new float[rows * canvas.LatentSize], rows, canvas.Tokens, manifest.InChannels);
        _condition = manifest.Conditional ? OnnxTensor.Of(condition, rows, canvas.Tokens, manifest.InChannels) : null;
        _inputs = inputs;
    }

    /// <summary>Where the latents of all rows go before a step.</summary>
    public Span<float> Latents => _latents.Floats;

    /// <summary>The velocities [rows, tokens, channels] of the latents; the caller disposes them.</summary>
    public OnnxTensor Velocity(OnnxSessions sessions, int step)
    {
        IReadOnlyList<(string Name, OnnxTensor Value)> ofStep = _inputs.OfStep(step);
        try
        {
            List<(string, OnnxTensor)> inputs = [("hidden_states", _latents), .. _inputs.Constant, .. ofStep];
            if (_condition is not null)
            {
                inputs.Add(("condition_hidden_states", _condition));
            }
            return sessions.Run("transformer", inputs)[0];
        }
        finally
        {
            foreach ((_, OnnxTensor value) in ofStep)
            {
                value.Dispose();
            }
        }
    }

    public void Dispose()
    {
        _latents.Dispose();
        _condition?.Dispose();
        _inputs.Dispose();
    }
}
