using Dsd.Models.Autoencoder;
using Dsd.Models.Flux;
using Dsd.Models.Sampling;
using Dsd.Models.Text;
using Dsd.Models.Weights;

namespace Dsd.Onnx.Flux;

/// <summary>The configs of all parts of a model, read and checked against each other before anything is written.</summary>
internal sealed record FluxParts
{
    /// <summary>The folder of the transformer's config and weights: the pipeline's own, or the release's.</summary>
    public required string TransformerFolder { get; init; }

    public required FluxConfig Flux { get; init; }

    public required VaeConfig Vae { get; init; }

    public required ClipTextConfig Clip { get; init; }

    public required T5Config T5 { get; init; }

    /// <summary>Reads the configs, the schedule and the tokenizers.</summary>
    /// <param name="model">A whole pipeline.</param>
    /// <param name="releaseFolder">A folder whose transformer is used; null for the pipeline's own.</param>
    /// <param name="bringsCondition">Whether a LoRA makes the transformer conditional.</param>
    /// <exception cref="WeightsException">A config is missing or wrong, or the parts do not fit together.</exception>
    public static FluxParts Read(ModelFolder model, string? releaseFolder, bool bringsCondition)
    {
        (ModelFolder owner, string component) = FluxFamily.TransformerOf(model, releaseFolder);
        FluxConfig flux = owner.ReadConfig<FluxConfig>(component);
        FluxParts parts = new()
        {
            TransformerFolder = owner.ComponentFolder(component),
            Flux = flux with { Conditional = flux.Conditional || bringsCondition },
            Vae = model.ReadConfig<VaeConfig>("vae", classNames: "AutoencoderKL"),
            Clip = model.ReadConfig<ClipTextConfig>("text_encoder"),
            T5 = model.ReadConfig<T5Config>("text_encoder_2"),
        };
        SchedulerConfig schedule = model.ReadConfig<SchedulerConfig>("scheduler", "scheduler_config.json", "FlowMatchEulerDiscreteScheduler");
        try
        {
            parts.Flux.Validate();
            parts.Vae.Validate();
            schedule.Validate();
        }
        catch (ArgumentException e)
        {
            throw new WeightsException(model.Path, "configs that describe a model", e.Message.TrimEnd('.'), e);
        }
        parts.CheckFit(model, ClipTokenizer.Load(model.ComponentFolder("tokenizer")), T5Tokenizer.Load(model.ComponentFolder("tokenizer_2")));
        return parts;
    }

    private void CheckFit(ModelFolder model, ClipTokenizer clipTokenizer, T5Tokenizer t5Tokenizer)
    {
        (bool Holds, string What)[] rules =
        [
            (Flux.InChannels == 4 * Vae.LatentChannels, $"transformer in_channels {Flux.InChannels} and four times vae latent_channels {Vae.LatentChannels}"),
            (Flux.OutputChannels == Flux.InChannels, $"transformer out_channels {Flux.OutputChannels} and in_channels {Flux.InChannels}"),
            (Flux.JointAttentionDim == T5.DModel, $"transformer joint_attention_dim {Flux.JointAttentionDim} and text_encoder_2 d_model {T5.DModel}"),
            (Flux.PooledProjectionDim == Clip.HiddenSize,
             $"transformer pooled_projection_dim {Flux.PooledProjectionDim} and text_encoder hidden_size {Clip.HiddenSize}"),
            (Vae is { InChannels: 3, OutChannels: 3 }, $"vae in_channels {Vae.InChannels} and out_channels {Vae.OutChannels} where pictures have 3"),
            (clipTokenizer.VocabularySize <= Clip.VocabSize,
             $"tokenizer with {clipTokenizer.VocabularySize} tokens and text_encoder vocab_size {Clip.VocabSize}"),
            (clipTokenizer.MaxLength <= Clip.MaxPositionEmbeddings,
             $"tokenizer with {clipTokenizer.MaxLength} tokens and text_encoder max_position_embeddings {Clip.MaxPositionEmbeddings}"),
            (t5Tokenizer.VocabularySize <= T5.VocabSize, $"tokenizer_2 with {t5Tokenizer.VocabularySize} tokens and text_encoder_2 vocab_size {T5.VocabSize}"),
        ];
        string[] broken = [.. rules.Where(r => !r.Holds).Select(r => r.What)];
        if (broken.Length > 0)
        {
            throw new WeightsException(model.Path, "parts that fit together", string.Join("; ", broken));
        }
    }
}
