using Dsd.Common.Options;
using Dsd.Models.Weights;

namespace Dsd.Models.Text;

/// <summary>The shape of a <see cref="ClipTextModel"/>: the fields of <c>text_encoder/config.json</c> that change what is computed.</summary>
public sealed record ClipTextConfig : IModelConfig
{
    internal const string ClassName = "CLIPTextModel";

    /// <summary>Rows of the token embedding. CLIP-L: 49408.</summary>
    public required int VocabSize { get; init => field = OptionCheck.Range(value, 1, 10_000_000, "vocab_size"); }

    /// <summary>Channels of a token. CLIP-L: 768.</summary>
    public required int HiddenSize { get; init => field = OptionCheck.Range(value, 1, 65_536, "hidden_size"); }

    /// <summary>Channels inside the feed-forward layers. CLIP-L: 3072.</summary>
    public required int IntermediateSize { get; init => field = OptionCheck.Range(value, 1, 262_144, "intermediate_size"); }

    /// <summary>Layers. CLIP-L: 12.</summary>
    public required int NumHiddenLayers { get; init => field = OptionCheck.Range(value, 1, 1024, "num_hidden_layers"); }

    /// <summary>Attention heads, a divisor of <see cref="HiddenSize"/>. CLIP-L: 12.</summary>
    public required int NumAttentionHeads { get; init => field = OptionCheck.Range(value, 1, 1024, "num_attention_heads"); }

    /// <summary>The most tokens of a text. CLIP-L: 77.</summary>
    public int MaxPositionEmbeddings { get; init => field = OptionCheck.Range(value, 2, 65_536, "max_position_embeddings"); } = 77;

    /// <summary>Activation of the feed-forward layers: <c>quick_gelu</c> or <c>gelu</c>. CLIP-L: quick_gelu.</summary>
    public string HiddenAct { get; init; } = "quick_gelu";

    /// <summary>What layer normalisation adds to the variance. CLIP-L: 1e-5.</summary>
    public double LayerNormEps { get; init => field = OptionCheck.Range(value, 0, 1, "layer_norm_eps"); } = 1e-5;

    /// <summary>
    /// The id that closes a text, at whose first place the pooled output is taken. The legacy value 2 of published configs is not the
    /// real id: the place of the largest id is taken then.
    /// </summary>
    public int EosTokenId { get; init => field = OptionCheck.Range(value, 0, 10_000_000, "eos_token_id"); } = 49407;

    /// <inheritdoc/>
    public void Validate()
    {
        if (HiddenSize % NumAttentionHeads != 0)
        {
            throw new ArgumentException($"CLIP config: hidden_size must be a multiple of num_attention_heads ({NumAttentionHeads}), but is {HiddenSize}.");
        }
        if (HiddenAct is not ("quick_gelu" or "gelu"))
        {
            throw new ArgumentException($"CLIP config: hidden_act must be quick_gelu or gelu, but is {HiddenAct}.");
        }
        if (EosTokenId >= VocabSize)
        {
            throw new ArgumentException($"CLIP config: eos_token_id must be below vocab_size ({VocabSize}), but is {EosTokenId}.");
        }
    }
}
