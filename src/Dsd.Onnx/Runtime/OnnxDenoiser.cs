using System.Numerics.Tensors;
using Dsd.Models.Sampling;
using Dsd.Onnx.Families;

namespace Dsd.Onnx.Runtime;

/// <summary>
/// An exported transformer that predicts velocities for one batch. Passes of a step go through it together, or, where its graph takes one row at a time, row
/// after row.
/// </summary>
/// <param name="manifest">Which inputs the transformer has.</param>
/// <param name="sessions">Run it.</param>
/// <param name="inputs">The batch.</param>
/// <param name="prepare">The network's inputs for each row's prompt.</param>
internal sealed class OnnxDenoiser(
    OnnxManifest manifest, OnnxSessions sessions, DenoiserInputs<OnnxTensor> inputs, Func<IReadOnlyList<string>, NetworkInputs> prepare)
    : IDenoiser<OnnxTensor>
{
    private readonly Dictionary<IReadOnlyList<GuidancePass>, TransformerBatch[]> _batches = [];

    private int Size => inputs.Canvas.LatentSize;

    /// <inheritdoc/>
    public IReadOnlyList<OnnxTensor> Velocities(OnnxTensor latents, int step, IReadOnlyList<GuidancePass> passes)
    {
        if (!_batches.TryGetValue(passes, out TransformerBatch[]? batches))
        {
            batches = Batches(passes);
            _batches.Add(passes, batches);
        }
        float[] velocities = new float[passes.Count * latents.Floats.Length];
        int first = 0;
        foreach (TransformerBatch batch in batches)
        {
            // All passes see the same latents.
            Span<float> rows = batch.Latents;
            for (int start = 0; start < rows.Length; start += Size)
            {
                latents.Floats.Slice((first + start) % latents.Floats.Length, Size).CopyTo(rows[start..]);
            }
            using OnnxTensor velocity = batch.Velocity(sessions, step);
            velocity.Floats.CopyTo(velocities.AsSpan(first));
            first += rows.Length;
        }
        int size = latents.Floats.Length;
        return [.. Enumerable.Range(0, passes.Count).Select(i => OnnxTensor.Of(velocities[(i * size)..((i + 1) * size)], [.. latents.Shape]))];
    }

    /// <inheritdoc/>
    public OnnxTensor AddScaled(OnnxTensor x, float scale, OnnxTensor y)
    {
        TensorPrimitives.MultiplyAdd(y.Floats, scale, x.Floats, x.Floats);
        return x;
    }

    /// <summary>Frees the inputs.</summary>
    public void Dispose()
    {
        foreach (TransformerBatch batch in _batches.Values.SelectMany(b => b))
        {
            batch.Dispose();
        }
        _batches.Clear();
    }

    // The rows of all passes, one pass after another.
    private TransformerBatch[] Batches(IReadOnlyList<GuidancePass> passes)
    {
        (GuidancePass Pass, int Row)[] rows = [.. passes.SelectMany(pass => Enumerable.Range(0, inputs.Prompts.Count).Select(row => (pass, row)))];
        return [.. rows.Chunk(manifest.Graphs == Export.GraphTarget.Cuda ? 1 : rows.Length).Select(Batch)];
    }

    private TransformerBatch Batch((GuidancePass Pass, int Row)[] rows)
    {
        float[] condition = new float[manifest.Conditional ? rows.Length * Size : 0];
        for (int i = 0; i < rows.Length && inputs.Condition is { } given && manifest.Conditional; i++)
        {
            if (rows[i].Pass.Condition)
            {
                given.Floats.Slice(rows[i].Row * Size, Size).CopyTo(condition.AsSpan(i * Size));
            }
        }
        string[] prompts = [.. rows.Select(r => r.Pass.Prompt ? inputs.Prompts[r.Row] : "")];
        return new TransformerBatch(manifest, inputs.Canvas, rows.Length, prepare(prompts), condition);
    }
}
