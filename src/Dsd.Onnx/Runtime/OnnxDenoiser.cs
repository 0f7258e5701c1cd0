using Dsd.Models.Sampling;
using Dsd.Onnx.Families;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Dsd.Onnx.Runtime;

/// <summary>
/// An exported transformer that predicts velocities for one batch. Passes of a step go through it together, or, where its graph takes one row at a time, row
/// after row. Latents, velocities, text and modulation stay where the sessions compute.
/// </summary>
/// <param name="manifest">Which inputs the transformer has.</param>
/// <param name="sessions">Run it.</param>
/// <param name="places">Give its inputs and outputs their places.</param>
/// <param name="inputs">The batch.</param>
/// <param name="prepare">The network's inputs for each row's prompt.</param>
/// <param name="adapters">Gives the factors of adapters; null where the transformer takes none.</param>
internal sealed class OnnxDenoiser(
    OnnxManifest manifest, OnnxSessions sessions, TransformerBatches places, DenoiserInputs<OnnxTensor> inputs,
    Func<IReadOnlyList<string>, NetworkInputs> prepare, Func<AdapterFactors>? adapters)
    : IDenoiser<OnnxTensor>
{
    private readonly Dictionary<IReadOnlyList<GuidancePass>, TransformerBatch[]> _batches = [];

    private int Size => inputs.Canvas.LatentSize;

    /// <inheritdoc/>
    public IReadOnlyList<OnnxTensor> Velocities(OnnxTensor latents, int step, IReadOnlyList<GuidancePass> passes)
    {
        if (!_batches.TryGetValue(passes, out TransformerBatch[]? batches))
        {
            // Text encoders may have to run: then the transformer may be closed for them. Passes of before do not come back.
            LetGo();
            batches = Batches(passes);
            _batches.Add(passes, batches);
        }
        TensorPlace place = sessions.Place;
        int rows = inputs.Prompts.Count;
        OnnxTensor[] velocities = [.. passes.Select(_ => place.Empty(TensorElementType.Float, [.. latents.Shape]))];
        try
        {
            int first = 0;
            foreach (TransformerBatch batch in batches)
            {
                int count = (int)batch.Latents.Shape[0];
                for (int i = 0; i < count; i++)
                {
                    // All passes see the same latents.
                    place.Copy(latents, (first + i) % rows * Size, batch.Latents, i * Size, Size);
                }
                // The last level is where the last step ends.
                batch.Run(step, isLast: step == inputs.Sigmas.Count - 2, inputs.CancellationToken);
                for (int i = 0; i < count; i++)
                {
                    place.Copy(batch.Velocity, i * Size, velocities[(first + i) / rows], (first + i) % rows * Size, Size);
                }
                first += count;
            }
            return velocities;
        }
        catch
        {
            foreach (OnnxTensor velocity in velocities)
            {
                velocity.Dispose();
            }
            throw;
        }
    }

    /// <inheritdoc/>
    public OnnxTensor AddScaled(OnnxTensor x, float scale, OnnxTensor y) => sessions.Place.AddScaled(x, scale, y);

    /// <inheritdoc/>
    public OnnxTensor PlusScaled(OnnxTensor x, float scale, OnnxTensor y)
    {
        OnnxTensor copy = sessions.Place.Empty(x.Type, [.. x.Shape]);
        sessions.Place.Copy(x, 0, copy, 0, x.Count);
        return sessions.Place.AddScaled(copy, scale, y);
    }

    /// <summary>Frees the inputs.</summary>
    public void Dispose() => LetGo();

    private void LetGo()
    {
        foreach (TransformerBatch batch in _batches.Values.SelectMany(b => b))
        {
            places.GiveBack(batch);
        }
        _batches.Clear();
    }

    // The rows of all passes, one pass after another.
    private TransformerBatch[] Batches(IReadOnlyList<GuidancePass> passes)
    {
        (GuidancePass Pass, int Row)[] rows = [.. passes.SelectMany(pass => Enumerable.Range(0, inputs.Prompts.Count).Select(row => (pass, row)))];
        (GuidancePass Pass, int Row)[][] groups = [.. rows.Chunk(manifest.RunsOneRow ? 1 : rows.Length)];
        List<NetworkInputs> networks = [];
        List<TransformerBatch> batches = [];
        try
        {
            // All that text encoders do comes before the transformer is opened, so that they may be closed for it.
            foreach ((GuidancePass Pass, int Row)[] group in groups)
            {
                networks.Add(prepare([.. group.Select(r => r.Pass.Prompt ? inputs.Prompts[r.Row] : "")]));
            }
            for (int i = 0; i < groups.Length; i++)
            {
                batches.Add(Batch(groups[i], networks[i]));
            }
            return [.. batches];
        }
        catch
        {
            batches.ForEach(places.GiveBack);
            throw;
        }
        finally
        {
            networks.ForEach(n => n.Dispose());
        }
    }

    private TransformerBatch Batch((GuidancePass Pass, int Row)[] rows, NetworkInputs network)
    {
        return places.Take(inputs.Canvas, rows.Length, network, Condition, adapters?.Invoke(), inputs.CancellationToken);

        void Condition(OnnxTensor condition)
        {
            for (int i = 0; i < rows.Length && inputs.Condition is { } given; i++)
            {
                if (rows[i].Pass.Condition)
                {
                    sessions.Place.Copy(given, rows[i].Row * Size, condition, i * Size, Size);
                }
            }
        }
    }
}
