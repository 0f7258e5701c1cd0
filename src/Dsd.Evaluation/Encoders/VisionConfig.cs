using Dsd.Common.Options;
using Dsd.Evaluation.Networks;
using Dsd.Models.Weights;

namespace Dsd.Evaluation.Encoders;

/// <summary>The fields of a vision transformer's <c>config.json</c> that CLIP's image tower, DINO and DINOv2 share.</summary>
internal abstract record VisionConfig : IModelConfig
{
    private const long MostPositionNumbers = 64_000_000;

    /// <summary>Channels of a token.</summary>
    public int HiddenSize { get; init => field = OptionCheck.Range(value, 1, 16_384, "hidden_size"); } = 768;

    /// <summary>Layers.</summary>
    public int NumHiddenLayers { get; init => field = OptionCheck.Range(value, 1, 1024, "num_hidden_layers"); } = 12;

    /// <summary>Attention heads, a divisor of <see cref="HiddenSize"/>.</summary>
    public int NumAttentionHeads { get; init => field = OptionCheck.Range(value, 1, 1024, "num_attention_heads"); } = 12;

    /// <summary>Colours.</summary>
    public int NumChannels { get; init => field = OptionCheck.Range(value, 3, 3, "num_channels"); } = 3;

    /// <summary>Side of the picture that the position table was learned for, a multiple of <see cref="PatchSize"/>.</summary>
    public int ImageSize { get; init => field = OptionCheck.Range(value, 1, 4096, "image_size"); } = 224;

    /// <summary>Side of a patch.</summary>
    public virtual int PatchSize { get; init => field = OptionCheck.Range(value, 1, 1024, "patch_size"); } = 16;

    /// <summary>Activation of the feed-forward layers: <c>quick_gelu</c> or <c>gelu</c>.</summary>
    public virtual string HiddenAct { get; init; } = "gelu";

    /// <summary>What layer normalisation adds to the variance.</summary>
    public virtual double LayerNormEps { get; init => field = OptionCheck.Range(value, 0, 1, "layer_norm_eps"); } = 1e-12;

    /// <summary>Channels inside the feed-forward layers.</summary>
    internal abstract int Inner { get; }

    /// <inheritdoc/>
    public virtual void Validate()
    {
        if (HiddenSize % NumAttentionHeads != 0)
        {
            throw new ArgumentException($"hidden_size must be a multiple of num_attention_heads ({NumAttentionHeads}), but is {HiddenSize}.");
        }
        if (HiddenAct is not ("quick_gelu" or "gelu"))
        {
            throw new ArgumentException($"hidden_act must be quick_gelu or gelu, but is {HiddenAct}.");
        }
        if (ImageSize < PatchSize)
        {
            throw new ArgumentException($"image_size must be at least patch_size ({PatchSize}), but is {ImageSize}.");
        }
    }

    /// <summary>The network's sizes for pictures of some width and height.</summary>
    /// <param name="file">The config's file.</param>
    /// <param name="pictureWidth">Width of the pictures.</param>
    /// <param name="pictureHeight">Height of the pictures.</param>
    /// <exception cref="WeightsException">There would be more positions than any network has.</exception>
    public VisionShape Shape(string file, int pictureWidth, int pictureHeight)
    {
        VisionShape shape = new(
            HiddenSize, Inner, NumHiddenLayers, NumAttentionHeads, PatchSize, ImageSize / PatchSize, pictureWidth, pictureHeight, (float)LayerNormEps);
        // Their table is held in memory, so that it can be scaled.
        return (long)Math.Max(shape.TableRows, shape.Rows * shape.Columns) * HiddenSize <= MostPositionNumbers && shape.Rows > 0 && shape.Columns > 0
            ? shape
            : throw new WeightsException(
                file, $"at least one patch in a picture, and at most {MostPositionNumbers} numbers for the positions of patches",
                $"patches of {PatchSize} in pictures of {pictureWidth} × {pictureHeight} and {ImageSize} × {ImageSize}, and {HiddenSize} numbers for each");
    }
}

/// <summary>CLIP's image tower.</summary>
internal sealed record ClipVisionConfig : VisionConfig
{
    public override int PatchSize { get; init => field = OptionCheck.Range(value, 1, 1024, "patch_size"); } = 32;

    public override string HiddenAct { get; init; } = "quick_gelu";

    public override double LayerNormEps { get; init => field = OptionCheck.Range(value, 0, 1, "layer_norm_eps"); } = 1e-5;

    public int IntermediateSize { get; init => field = OptionCheck.Range(value, 1, 262_144, "intermediate_size"); } = 3072;

    internal override int Inner => IntermediateSize;
}

/// <summary>DINO, as <c>ViTModel</c>.</summary>
internal sealed record DinoConfig : VisionConfig
{
    public int IntermediateSize { get; init => field = OptionCheck.Range(value, 1, 262_144, "intermediate_size"); } = 3072;

    public bool QkvBias { get; init; } = true;

    internal override int Inner => IntermediateSize;
}

/// <summary>DINOv2.</summary>
internal sealed record DinoV2Config : VisionConfig
{
    public override int PatchSize { get; init => field = OptionCheck.Range(value, 1, 1024, "patch_size"); } = 14;

    public override double LayerNormEps { get; init => field = OptionCheck.Range(value, 0, 1, "layer_norm_eps"); } = 1e-6;

    public double MlpRatio { get; init => field = OptionCheck.Range(value, 0.01, 64, "mlp_ratio"); } = 4;

    public bool QkvBias { get; init; } = true;

    public bool UseSwigluFfn { get; init; }

    /// <summary>Gated layers have two thirds of the channels, up to the next multiple of 8.</summary>
    internal override int Inner
    {
        get
        {
            int inner = (int)(HiddenSize * MlpRatio);
            return UseSwigluFfn ? (inner * 2 / 3 + 7) / 8 * 8 : inner;
        }
    }
}
