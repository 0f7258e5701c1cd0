using Dsd.Models.Flux;
using Dsd.Models.Sampling;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Onnx.Families;
using Dsd.Onnx.Runtime;

namespace Dsd.Onnx.Flux;

/// <summary>T5's states, and what the modulation model makes of noise levels, guidance, CLIP's pooled vector and positions.</summary>
internal sealed class FluxPromptInputs : PromptInputs
{
    private readonly OnnxSessions _sessions;
    private readonly ClipTokenizer _clip;
    private readonly T5Tokenizer _t5;
    private readonly (string Input, int Size)[] _modulations;
    private readonly bool _guidance;
    private readonly bool _oneRow;

    public FluxPromptInputs(OnnxModelFolder folder, OnnxSessions sessions)
    {
        _sessions = sessions;
        _clip = ClipTokenizer.Load(folder.Folder("tokenizer"));
        _t5 = T5Tokenizer.Load(folder.Folder("tokenizer_2"));
        FluxConfig config = ModelFolder.OpenParts(folder.Path).ReadConfig<FluxConfig>("transformer");
        config.Validate();
        _modulations = [.. FluxModulationInputs.Of(config).Select(e => (e.Input, e.Parts * config.Width))];
        (_guidance, _oneRow) = (folder.TakesGuidance, folder.RunsOneRow);
    }

    /// <inheritdoc/>
    public override NetworkInputs Of(NetworkRows rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        CancellationToken cancel = rows.CancellationToken;
        string[] different = [.. rows.Prompts.Distinct(StringComparer.Ordinal)];
        using OnnxTensor pooled = Encode( // [different, channels]
            different, _sessions, "text_encoder", 1, _clip, _clip.MaxLength, "CLIP", rows.Warn, cancel);
        OnnxTensor states = Encode( // [rows, tokens, channels]
            rows.Prompts, _sessions, "text_encoder_2", 0, _t5, rows.MaxTokens ?? _t5.MaxLength, "T5", rows.Warn, cancel);
        try
        {
            IReadOnlyList<OnnxTensor> made = Modulate(rows, pooled, states.Shape[1]);
            using OnnxTensor modulation = made[0];
            using OnnxTensor cos = made[1];
            using OnnxTensor sin = made[2];
            int count = rows.Prompts.Count;
            int[] prompts = [.. rows.Prompts.Select(p => Array.IndexOf(different, p))];
            OnnxTensor steps = modulation.Interleaved(
                [.. Enumerable.Range(0, rows.Sigmas.Count).Select(step => prompts.Select(p => (step * different.Length) + p).ToArray())],
                [.. _modulations.Select(m => m.Size)]);
            return new NetworkInputs(
                [("encoder_hidden_states", states), ("rotary_cos", Repeat(cos, count)), ("rotary_sin", Repeat(sin, count))],
                [.. _modulations.Select(m => new NetworkPiece(m.Input, _oneRow ? [m.Size] : [count, m.Size]))],
                steps);
        }
        catch
        {
            states.Dispose();
            throw;
        }
    }

    /// <summary>The modulation model's outputs: a row for each step and different prompt, steps first.</summary>
    private IReadOnlyList<OnnxTensor> Modulate(NetworkRows rows, OnnxTensor pooled, long textTokens)
    {
        int different = (int)pooled.Shape[0];
        int count = rows.Sigmas.Count * different;
        float[] vectors = new float[rows.Sigmas.Count * pooled.Floats.Length];
        for (int step = 0; step < rows.Sigmas.Count; step++)
        {
            pooled.Floats.CopyTo(vectors.AsSpan(step * pooled.Floats.Length));
        }
        Canvas canvas = rows.Canvas;
        using OnnxTensor sigmas = OnnxTensor.Of([.. rows.Sigmas.SelectMany(s => Enumerable.Repeat(s, different))], count);
        using OnnxTensor guidance = OnnxTensor.Of([.. Enumerable.Repeat(rows.Guidance, count)], count);
        using OnnxTensor pooledRows = OnnxTensor.Of(vectors, count, pooled.Shape[1]);
        using OnnxTensor imageIds = OnnxTensor.Of(LatentPacking.Positions(canvas.LatentHeight, canvas.LatentWidth), canvas.Tokens, 3);
        using OnnxTensor textIds = OnnxTensor.Of(new float[3 * textTokens], textTokens, 3);
        (string, OnnxTensor)[] inputs =
            [("timestep", sigmas), ("pooled_projections", pooledRows), ("img_ids", imageIds), ("txt_ids", textIds)];
        return _sessions.Run("modulation", _guidance ? [.. inputs, ("guidance", guidance)] : inputs, rows.CancellationToken, preparesSteps: true);
    }

    private static OnnxTensor Repeat(OnnxTensor table, int rows) => table.Rows([.. Enumerable.Repeat(0, rows)]);
}
