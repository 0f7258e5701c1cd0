using Dsd.Models.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>A FLUX transformer that predicts velocities for one batch. Passes of a step go through it together.</summary>
internal sealed class FluxDenoiser : IDenoiser<Tensor>
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
    public IReadOnlyList<Tensor> Velocities(Tensor latents, int step, IReadOnlyList<GuidancePass> passes)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        if (!_conditionings.TryGetValue(passes, out FluxConditioning? conditioning))
        {
            conditioning = Embed(passes);
            _conditionings.Add(passes, conditioning);
        }
        Tensor rows = passes.Count == 1 ? latents : latents.repeat(passes.Count, 1, 1); // [passes · batch, tokens, channels]
        Tensor velocities = _transformer.forward(rows, conditioning, step).to(ScalarType.Float32);
        return [.. velocities.split(latents.shape[0], dim: 0).Select(v => v.MoveToOuterDisposeScope())];
    }

    /// <inheritdoc/>
    public Tensor AddScaled(Tensor x, float scale, Tensor y)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor sum = x.to(ScalarType.Float32) + y * scale;
        x.Dispose();
        return sum.MoveToOuterDisposeScope();
    }

    /// <summary>Frees what it has embedded.</summary>
    public void Dispose()
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
        Tensor Rows(Tensor prompts, Tensor? none) => cat([.. passes.Select(p => p.Prompt ? prompts : none!.expand_as(prompts))], dim: 0);
        Tensor text = Rows(_prompts.Text, empty?.Text);
        Tensor pooled = Rows(_prompts.Pooled, empty?.Pooled);
        Tensor? condition = !_transformer.Config.Conditional ? null
            : cat([.. passes.Select(p => p.Condition && _inputs.Condition is { } given ? given : zeros(count, canvas.Tokens, canvas.TokenChannels, device: device))], dim: 0);
        long rows = passes.Count * count;
        return _transformer.Embed(
            condition,
            text,
            pooled,
            tensor(_inputs.Sigmas.SkipLast(1).ToArray()).repeat_interleave(rows).to(device), // step by step; the last sigma begins no step
            _transformer.Config.GuidanceEmbeds ? full(rows, _inputs.Guidance, device: device) : null,
            LatentPacking.ImageIds(canvas.LatentHeight, canvas.LatentWidth, device),
            LatentPacking.TextIds(text.shape[1], device),
            _inputs.BlockCache);
    }
}
