using Dsd.Models.Flux;
using Dsd.Models.Sampling;
using Dsd.Models.Text;
using Dsd.Models.Weights;
using Dsd.Onnx.Families;
using Dsd.Onnx.Runtime;

namespace Dsd.Onnx.Flux;

/// <summary>T5's states, and what the modulation's models make of noise levels, guidance, CLIP's pooled vector and positions.</summary>
internal sealed class FluxPromptInputs : PromptInputs
{
    private readonly OnnxModelFolder _folder;
    private readonly OnnxSessions _sessions;
    private readonly ClipTokenizer _clip;
    private readonly T5Tokenizer _t5;
    private readonly IReadOnlyList<FluxModulationInputs.Model> _models;
    private readonly int _width;
    private readonly bool _guidance;
    private readonly bool _oneRow;

    public FluxPromptInputs(OnnxModelFolder folder, OnnxSessions sessions)
    {
        (_folder, _sessions) = (folder, sessions);
        _clip = ClipTokenizer.Load(folder.Folder("tokenizer"));
        _t5 = T5Tokenizer.Load(folder.Folder("tokenizer_2"));
        FluxConfig config = ModelFolder.OpenParts(folder.Path).ReadConfig<FluxConfig>("transformer");
        config.Validate();
        (_models, _width) = (FluxModulationInputs.ModelsOf(config, FluxModulationInputs.CountIn(folder)), config.Width);
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
        List<OnnxTensor> made = [];
        try
        {
            (IReadOnlyList<OnnxTensor> modulations, OnnxTensor cos, OnnxTensor sin) = Modulate(rows, pooled, states.Shape[1], made);
            int count = rows.Prompts.Count;
            int[] prompts = [.. rows.Prompts.Select(p => Array.IndexOf(different, p))];
            OnnxTensor steps = OnnxTensor.Interleaved(
                [.. _models.Select((model, i) => (modulations[i], model.Layers.Select(Size).ToArray()))],
                [.. Enumerable.Range(0, rows.Sigmas.Count).Select(step => prompts.Select(p => (step * different.Length) + p).ToArray())]);
            return new NetworkInputs(
                [("encoder_hidden_states", states), ("rotary_cos", Repeat(cos, count)), ("rotary_sin", Repeat(sin, count))],
                [.. _models.SelectMany(m => m.Layers).Select(e => new NetworkPiece(e.Input, _oneRow ? [Size(e)] : [count, Size(e)]))],
                steps);
        }
        catch
        {
            states.Dispose();
            throw;
        }
        finally
        {
            made.ForEach(m => m.Dispose());
        }
    }

    private int Size(FluxModulationInputs.Entry layer) => layer.Parts * _width;

    /// <summary>Runs the modulation's models.</summary>
    /// <param name="rows">What they are run for.</param>
    /// <param name="pooled">CLIP's vectors of the different prompts.</param>
    /// <param name="textTokens">How many text tokens there are.</param>
    /// <param name="made">Gets all that they give, which the caller disposes.</param>
    /// <returns>Each model's modulation, a row for each step and different prompt, steps first; cosines and sines of the rotary angles.</returns>
    private (IReadOnlyList<OnnxTensor> Modulations, OnnxTensor Cos, OnnxTensor Sin) Modulate(
        NetworkRows rows, OnnxTensor pooled, long textTokens, List<OnnxTensor> made)
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
        List<IReadOnlyList<OnnxTensor>> all = [];
        foreach (FluxModulationInputs.Model model in _models)
        {
            List<(string, OnnxTensor)> inputs = [("timestep", sigmas), ("pooled_projections", pooledRows)];
            if (_guidance)
            {
                inputs.Add(("guidance", guidance));
            }
            if (model.HasRotary)
            {
                inputs.AddRange([("img_ids", imageIds), ("txt_ids", textIds)]);
            }
            IReadOnlyList<OnnxTensor> outputs = _sessions.Run(model.Component, inputs, rows.CancellationToken, preparesSteps: true);
            made.AddRange(outputs);
            all.Add(outputs);
            if (outputs[0].Shape[^1] != model.Layers.Sum(Size))
            {
                throw new WeightsException(
                    _folder.ModelFile(model.Component), $"rows of {model.Layers.Sum(Size)} numbers, one of {_models.Count} models of the modulation",
                    $"{outputs[0].Shape[^1]}. Export the model again");
            }
        }
        IReadOnlyList<OnnxTensor> withRotary = all[_models.Index().First(m => m.Item.HasRotary).Index];
        return ([.. all.Select(outputs => outputs[0])], withRotary[1], withRotary[2]);
    }

    private static OnnxTensor Repeat(OnnxTensor table, int rows) => table.Rows([.. Enumerable.Repeat(0, rows)]);
}
