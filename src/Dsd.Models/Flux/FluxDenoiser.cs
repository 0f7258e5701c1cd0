using Dsd.Models.Families;
using Dsd.Models.Layers;
using Dsd.Models.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>Denoises a batch with a FLUX transformer. What the latents have no part in is embedded once for all steps.</summary>
internal sealed class FluxDenoiser : TensorDenoiser
{
    private readonly FluxTransformer _transformer;
    private readonly DenoiserInputs<Tensor> _inputs;
    private readonly TextEmbedding _prompts;
    private readonly Func<TextEmbedding> _encodeEmpty;
    private readonly Dictionary<IReadOnlyList<GuidancePass>, FluxConditioning> _conditionings = [];

    /// <summary>Encodes the prompts.</summary>
    public FluxDenoiser(FluxModel model, DenoiserInputs<Tensor> inputs)
    {
        (_transformer, _inputs) = (model.Transformer, inputs);
        using DisposeScope scope = NewDisposeScope();
        TextEmbedding prompts = model.Text.Encode(inputs.Prompts, inputs.MaxTextTokens, model.Warn);
        _prompts = new TextEmbedding(prompts.Text.DetachFromDisposeScope(), prompts.Pooled.DetachFromDisposeScope());
        _encodeEmpty = () => model.Text.Encode([""], inputs.MaxTextTokens);
    }

    /// <inheritdoc/>
    protected override Tensor Velocity(Tensor rows, int step, IReadOnlyList<GuidancePass> passes)
    {
        if (!_conditionings.TryGetValue(passes, out FluxConditioning? conditioning))
        {
            conditioning = Embed(passes);
            _conditionings.Add(passes, conditioning);
        }
        return _transformer.forward(rows, conditioning, step);
    }

    /// <summary>Frees what it has embedded.</summary>
    public override void Dispose()
    {
        _prompts.Dispose();
        foreach (FluxConditioning conditioning in _conditionings.Values)
        {
            conditioning.Dispose();
        }
        _conditionings.Clear();
    }

    // The rows of all passes, one pass after another.
    private FluxConditioning Embed(IReadOnlyList<GuidancePass> passes)
    {
        using DisposeScope scope = NewDisposeScope();
        (long count, Canvas canvas, Device device) = (_inputs.Prompts.Count, _inputs.Canvas, _transformer.Device);
        TextEmbedding? empty = passes.All(p => p.Prompt) ? null : _encodeEmpty();
        Tensor text = Rows(passes, _prompts.Text, empty?.Text);
        Tensor pooled = Rows(passes, _prompts.Pooled, empty?.Pooled);
        Tensor? condition = _transformer.Config.Conditional ? Condition(_inputs, passes, device) : null;
        long rows = passes.Count * count;
        return _transformer.Embed(
            condition,
            text,
            pooled,
            tensor(_inputs.Sigmas.SkipLast(1).ToArray()).repeat_interleave(rows).to(device), // step by step; the last sigma begins no step
            _transformer.Config.GuidanceEmbeds ? TensorMath.Filled([rows], _inputs.Guidance, device: device) : null,
            LatentPacking.ImageIds(canvas.LatentHeight, canvas.LatentWidth, device),
            LatentPacking.TextIds(text.shape[1], device),
            _inputs.BlockCache);
    }
}
