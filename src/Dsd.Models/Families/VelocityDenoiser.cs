using Dsd.Models.Layers;
using Dsd.Models.Sampling;
using static TorchSharp.torch;

namespace Dsd.Models.Families;

/// <summary>Denoises a batch with a model's <see cref="DiffusionModel.Velocity"/>. The passes of a step go through the network together.</summary>
internal sealed class VelocityDenoiser : TensorDenoiser
{
    private readonly DiffusionModel _model;
    private readonly DenoiserInputs<Tensor> _inputs;
    private readonly PromptEmbedding _prompts;
    private PromptEmbedding? _empty;

    public VelocityDenoiser(DiffusionModel model, DenoiserInputs<Tensor> inputs)
    {
        (_model, _inputs) = (model, inputs);
        _prompts = Kept(model.EncodePrompts(inputs.Prompts, inputs.MaxTextTokens, model.Warn));
    }

    /// <inheritdoc/>
    protected override Tensor Velocity(Tensor rows, int step, IReadOnlyList<GuidancePass> passes)
    {
        _empty ??= passes.All(p => p.Prompt) ? null : Kept(_model.EncodePrompts([""], _inputs.MaxTextTokens));
        Tensor[] parts = [.. _prompts.Parts.Select((part, i) => Rows(passes, part, _empty?.Parts[i]))];
        Tensor? condition = _model.Network.IsConditional ? Condition(_inputs, passes, rows.device) : null;
        Tensor sigma = TensorMath.Filled([rows.shape[0]], _inputs.Sigmas[step], device: rows.device);
        return _model.Velocity(rows, condition, new PromptEmbedding(parts), sigma, _inputs.Guidance, _inputs.Canvas);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _prompts.Dispose();
        _empty?.Dispose();
    }

    private static PromptEmbedding Kept(PromptEmbedding embedding) => new([.. embedding.Parts.Select(p => p.DetachFromDisposeScope())]);
}
