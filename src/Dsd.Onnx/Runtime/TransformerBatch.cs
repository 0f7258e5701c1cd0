using Dsd.Models.Sampling;

namespace Dsd.Onnx.Runtime;

/// <summary>The transformer's inputs for a number of rows, reused from step to step: only latents and noise level change.</summary>
internal sealed class TransformerBatch : IDisposable
{
    private readonly OnnxTensor _latents;
    private readonly OnnxTensor _sigma;
    private readonly List<(string Name, OnnxTensor Value)> _inputs;

    /// <param name="manifest">Which inputs the transformer has.</param>
    /// <param name="canvas">The sizes.</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="prompts">The network's inputs for prompts and positions; the batch disposes them.</param>
    /// <param name="condition">Condition tokens of all rows, for a conditional transformer.</param>
    /// <param name="guidance">The distilled guidance, for a transformer that takes it.</param>
    public TransformerBatch(
        OnnxManifest manifest, Canvas canvas, int rows, IReadOnlyList<(string Name, OnnxTensor Value)> prompts, float[] condition, float guidance)
    {
        _latents = OnnxTensor.Of(new float[rows * canvas.LatentSize], rows, canvas.Tokens, manifest.InChannels);
        _sigma = OnnxTensor.Of(new float[rows], rows);
        _inputs = [("hidden_states", _latents), ("timestep", _sigma), .. prompts];
        if (manifest.Conditional)
        {
            _inputs.Add(("condition_hidden_states", OnnxTensor.Of(condition, rows, canvas.Tokens, manifest.InChannels)));
        }
        if (manifest.Guidance)
        {
            float[] values = new float[rows];
            Array.Fill(values, guidance);
            _inputs.Add(("guidance", OnnxTensor.Of(values, rows)));
        }
    }

    /// <summary>The velocities [rows, tokens, channels] of latents, which are repeated until every row has one; the caller disposes them.</summary>
    public OnnxTensor Velocity(OnnxSessions sessions, ReadOnlySpan<float> latents, float sigma, CancellationToken cancellationToken)
    {
        Span<float> rows = _latents.Floats;
        for (int start = 0; start < rows.Length; start += latents.Length)
        {
            latents.CopyTo(rows[start..]);
        }
        _sigma.Floats.Fill(sigma);
        return sessions.Run("transformer", _inputs, cancellationToken)[0];
    }

    public void Dispose()
    {
        foreach ((_, OnnxTensor value) in _inputs)
        {
            value.Dispose();
        }
    }
}
