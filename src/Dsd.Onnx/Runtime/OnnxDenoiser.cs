using System.Numerics.Tensors;
using Dsd.Models.Sampling;

namespace Dsd.Onnx.Runtime;

/// <summary>An exported transformer that predicts velocities for one batch. Passes of a step go through it together.</summary>
/// <param name="manifest">Which inputs the transformer has.</param>
/// <param name="sessions">Run it.</param>
/// <param name="inputs">The batch.</param>
/// <param name="encode">The network's inputs for each row's prompt.</param>
internal sealed class OnnxDenoiser(
    OnnxManifest manifest, OnnxSessions sessions, DenoiserInputs<OnnxTensor> inputs,
    Func<IReadOnlyList<string>, IReadOnlyList<(string Name, OnnxTensor Value)>> encode) : IDenoiser<OnnxTensor>
{
    private readonly Dictionary<IReadOnlyList<GuidancePass>, TransformerBatch> _batches = [];
    private OnnxSessions.Lease? _transformer;

    /// <inheritdoc/>
    public IReadOnlyList<OnnxTensor> Velocities(OnnxTensor latents, int step, IReadOnlyList<GuidancePass> passes)
    {
        if (!_batches.TryGetValue(passes, out TransformerBatch? batch))
        {
            // Text encoders may have to run: then the transformer may be closed for them, and they for it.
            LetGo();
            batch = Batch(passes);
            _batches.Add(passes, batch);
        }
        // From one step to the next, so that nothing closes it between them.
        _transformer ??= sessions.Use("transformer", inputs.CancellationToken);
        OnnxTensor velocities = batch.Velocity(sessions, latents.Floats, inputs.Sigmas[step], inputs.CancellationToken);
        if (passes.Count == 1)
        {
            return [velocities];
        }
        using (velocities)
        {
            int size = latents.Floats.Length;
            return [.. Enumerable.Range(0, passes.Count).Select(i => OnnxTensor.Of(velocities.Floats.Slice(i * size, size).ToArray(), [.. latents.Shape]))];
        }
    }

    /// <inheritdoc/>
    public OnnxTensor AddScaled(OnnxTensor x, float scale, OnnxTensor y)
    {
        TensorPrimitives.MultiplyAdd(y.Floats, scale, x.Floats, x.Floats);
        return x;
    }

    /// <summary>Frees the inputs, and lets go of the transformer.</summary>
    public void Dispose()
    {
        LetGo();
        foreach (TransformerBatch batch in _batches.Values)
        {
            batch.Dispose();
        }
        _batches.Clear();
    }

    private void LetGo()
    {
        _transformer?.Dispose();
        _transformer = null;
    }

    // The rows of all passes, one pass after another.
    private TransformerBatch Batch(IReadOnlyList<GuidancePass> passes)
    {
        string[] prompts = [.. passes.SelectMany(pass => inputs.Prompts.Select(prompt => pass.Prompt ? prompt : ""))];
        int size = inputs.Prompts.Count * inputs.Canvas.LatentSize;
        float[] condition = new float[manifest.Conditional ? passes.Count * size : 0];
        for (int i = 0; i < passes.Count && inputs.Condition is { } given && manifest.Conditional; i++)
        {
            if (passes[i].Condition)
            {
                given.Floats.CopyTo(condition.AsSpan(i * size));
            }
        }
        return new TransformerBatch(manifest, inputs.Canvas, prompts.Length, encode(prompts), condition, inputs.Guidance);
    }
}
