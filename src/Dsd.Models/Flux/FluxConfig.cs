using System.Text.Json.Serialization;
using Dsd.Models.Weights;

namespace Dsd.Models.Flux;

/// <summary>The shape of a <see cref="FluxTransformer"/>: the fields of <c>transformer/config.json</c> (diffusers' layout).</summary>
public sealed record FluxConfig : IModelConfig
{
    internal const string PlainClass = "FluxTransformer2DModel";
    internal const string ConditionalClass = "FluxTransformer2DConditionalModel";

    /// <summary>The shape of FLUX.1-dev, as published.</summary>
    public static FluxConfig Dev { get; } = new()
    {
        InChannels = 64,
        NumLayers = 19,
        NumSingleLayers = 38,
        AttentionHeadDim = 128,
        NumAttentionHeads = 24,
        JointAttentionDim = 4096,
        PooledProjectionDim = 768,
        GuidanceEmbeds = true,
        AxesDimsRope = [16, 56, 56],
    };

    /// <summary>The class that the file was written for: plain FLUX, or the conditional model of Diffusion Self-Distillation.</summary>
    /// <exception cref="ArgumentException">Neither of the two.</exception>
    [JsonPropertyName("_class_name")]
    public string ClassName
    {
        get => Conditional ? ConditionalClass : PlainClass;
        init => Conditional = value switch
        {
            PlainClass => false,
            ConditionalClass => true,
            _ => throw new ArgumentException($"Transformer config: _class_name must be {PlainClass} or {ConditionalClass}, but is {value}."),
        };
    }

    /// <summary>Whether there is a <c>c_embedder</c>, through which condition tokens are added to the latent tokens.</summary>
    [JsonIgnore]
    public bool Conditional { get; init; }

    /// <summary>Latent pixels a side of a patch within the network; only 1 is known, since latents come packed 2 × 2 already.</summary>
    public int PatchSize { get; init; } = 1;

    /// <summary>Channels of a packed latent token. FLUX: 64.</summary>
    public required int InChannels { get; init; }

    /// <summary>Channels of an output token; null is <see cref="InChannels"/>.</summary>
    public int? OutChannels { get; init; }

    /// <summary>Blocks with separate image and text streams. FLUX: 19.</summary>
    public required int NumLayers { get; init; }

    /// <summary>Blocks over the joined stream. FLUX: 38.</summary>
    public required int NumSingleLayers { get; init; }

    /// <summary>Channels of an attention head. FLUX: 128.</summary>
    public required int AttentionHeadDim { get; init; }

    /// <summary>Attention heads. FLUX: 24.</summary>
    public required int NumAttentionHeads { get; init; }

    /// <summary>Channels of a T5 token. FLUX: 4096.</summary>
    public required int JointAttentionDim { get; init; }

    /// <summary>Channels of CLIP's pooled vector. FLUX: 768.</summary>
    public required int PooledProjectionDim { get; init; }

    /// <summary>Whether the distilled guidance is an input: true for FLUX.1-dev, false for FLUX.1-schnell.</summary>
    public bool GuidanceEmbeds { get; init; }

    /// <summary>How the channels of a head are shared among the three axes of a position id. FLUX: 16, 56, 56.</summary>
    public IReadOnlyList<int> AxesDimsRope { get; init; } = [16, 56, 56];

    /// <summary>Channels of a token inside the network: heads times channels of a head. FLUX: 3072.</summary>
    [JsonIgnore]
    public int Width => NumAttentionHeads * AttentionHeadDim;

    /// <summary>Channels of an output token.</summary>
    [JsonIgnore]
    public int OutputChannels => OutChannels ?? InChannels;

    /// <summary>Checks the fields alone and against each other.</summary>
    /// <exception cref="ArgumentException">Names the fields, what they may be and what they are.</exception>
    public void Validate()
    {
        InRange("in_channels", InChannels, 1, 65536);
        InRange("out_channels", OutputChannels, 1, 65536);
        InRange("num_layers", NumLayers, 0, 1024);
        InRange("num_single_layers", NumSingleLayers, 0, 1024);
        InRange("attention_head_dim", AttentionHeadDim, 2, 1024);
        InRange("num_attention_heads", NumAttentionHeads, 1, 1024);
        InRange("joint_attention_dim", JointAttentionDim, 1, 65536);
        InRange("pooled_projection_dim", PooledProjectionDim, 1, 65536);
        if (PatchSize != 1)
        {
            throw new ArgumentException($"Transformer config: patch_size must be 1, since latents are packed before they come in, but is {PatchSize}.");
        }
        if (AxesDimsRope.Count != 3 || AxesDimsRope.Any(d => d < 0 || d % 2 != 0))
        {
            throw new ArgumentException($"Transformer config: axes_dims_rope must hold 3 even numbers, but is [{string.Join(", ", AxesDimsRope)}].");
        }
        if (AxesDimsRope.Sum(d => (long)d) != AttentionHeadDim)
        {
            throw new ArgumentException(
                $"Transformer config: axes_dims_rope must add up to attention_head_dim ({AttentionHeadDim}), "
                    + $"but {string.Join(" + ", AxesDimsRope)} is {AxesDimsRope.Sum(d => (long)d)}.");
        }
    }

    private static void InRange(string field, int value, int least, int most)
    {
        if (value < least || value > most)
        {
            throw new ArgumentException($"Transformer config: {field} must lie between {least} and {most}, but is {value}.");
        }
    }
}
