using Dsd.Models.Autoencoder;
using Dsd.Models.Families;
using Dsd.Models.Layers;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Models.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Flux;

/// <summary>A whole FLUX model: text encoders, transformer, autoencoder and schedule. Owns them all.</summary>
public sealed class FluxModel : DiffusionModel
{
    /// <summary>Puts the parts together.</summary>
    /// <exception cref="ArgumentException">The parts do not fit together; names both sizes.</exception>
    public FluxModel(TextEncoders text, FluxTransformer transformer, AutoencoderKL vae, SchedulerConfig scheduler)
        : this(text, transformer, vae, scheduler, MemoryMode.Resident, encodersWait: false)
    {
    }

    internal FluxModel(TextEncoders text, FluxTransformer transformer, AutoencoderKL vae, SchedulerConfig scheduler, MemoryMode memory, bool encodersWait)
        : base(vae, scheduler, memory, encodersWait ? transformer?.Device : null)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(transformer);
        FluxConfig config = transformer.Config;
        Same("the transformer's in_channels", config.InChannels, "four times the autoencoder's latent_channels", 4 * vae.Config.LatentChannels);
        Same("the transformer's out_channels", config.OutputChannels, "its in_channels", config.InChannels);
        Same("the transformer's joint_attention_dim", config.JointAttentionDim, "T5's d_model", text.T5.Config.DModel);
        Same("the transformer's pooled_projection_dim", config.PooledProjectionDim, "CLIP's hidden_size", text.Clip.Config.HiddenSize);
        (Text, Transformer) = (text, transformer);
    }

    /// <summary>Tokenizers and text encoders.</summary>
    public TextEncoders Text { get; }

    /// <summary>The transformer, with the adapters over it if some were loaded.</summary>
    public FluxTransformer Transformer { get; }

    /// <inheritdoc/>
    public override DenoisingNetwork Network => Transformer;

    /// <inheritdoc/>
    public override bool TakesGuidance => Transformer.Config.GuidanceEmbeds;

    /// <inheritdoc/>
    public override ClipTextModel Clip => Text.Clip;

    /// <summary>What prompts say to the transformer: T5's states [batch, tokens, channels], and CLIP's pooled vector [batch, channels].</summary>
    /// <inheritdoc/>
    public override PromptEmbedding EncodePrompts(IReadOnlyList<string> prompts, int? maxTokens = null, Action<string>? warn = null)
    {
        TextEmbedding embedding = Text.Encode(prompts, maxTokens, warn);
        return new PromptEmbedding([embedding.Text, embedding.Pooled]);
    }

    /// <inheritdoc/>
    public override Tensor Velocity(Tensor latents, Tensor? condition, PromptEmbedding prompts, Tensor sigma, float guidance, Canvas canvas)
    {
        ArgumentNullException.ThrowIfNull(latents);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(canvas);
        using DisposeScope scope = NewDisposeScope();
        (Tensor text, Tensor pooled) = (prompts.Parts[0], prompts.Parts[1]);
        return Transformer.forward(
            latents,
            condition,
            text,
            pooled,
            sigma,
            Transformer.Config.GuidanceEmbeds ? TensorMath.Filled([latents.shape[0]], guidance, device: latents.device) : null,
            LatentPacking.ImageIds(canvas.LatentHeight, canvas.LatentWidth, latents.device),
            LatentPacking.TextIds(text.shape[1], latents.device)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override IDenoiser<Tensor> Denoiser(DenoiserInputs<Tensor> inputs) => new FluxDenoiser(this, inputs);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Text.Dispose();
        }
        base.Dispose(disposing);
    }

    private static void Same(string first, int value, string second, int other)
    {
        if (value != other)
        {
            throw new ArgumentException($"The model's parts do not fit together: {first} ({value}) must be {second} ({other}).");
        }
    }
}
