using Dsd.Common.Options;
using Dsd.Models.Weights;

namespace Dsd.Models.Text;

/// <summary>The shape of a <see cref="T5Encoder"/>: the fields of <c>text_encoder_2/config.json</c> that change what is computed.</summary>
public sealed record T5Config : IModelConfig
{
    internal const string ClassName = "T5EncoderModel";

    /// <summary>Rows of the token embedding. T5-XXL: 32128.</summary>
    public required int VocabSize { get; init => field = OptionCheck.Range(value, 1, 10_000_000, "vocab_size"); }

    /// <summary>Channels of a token. T5-XXL: 4096.</summary>
    public required int DModel { get; init => field = OptionCheck.Range(value, 1, 65_536, "d_model"); }

    /// <summary>Channels of an attention head; the heads together need not have as many channels as a token. T5-XXL: 64.</summary>
    public required int DKv { get; init => field = OptionCheck.Range(value, 1, 4096, "d_kv"); }

    /// <summary>Channels inside the feed-forward layers. T5-XXL: 10240.</summary>
    public required int DFf { get; init => field = OptionCheck.Range(value, 1, 262_144, "d_ff"); }

    /// <summary>Blocks. T5-XXL: 24.</summary>
    public required int NumLayers { get; init => field = OptionCheck.Range(value, 1, 1024, "num_layers"); }

    /// <summary>Attention heads. T5-XXL: 64.</summary>
    public required int NumHeads { get; init => field = OptionCheck.Range(value, 1, 1024, "num_heads"); }

    /// <summary>Distances between tokens are put into so many classes, half for each direction. T5-XXL: 32.</summary>
    public int RelativeAttentionNumBuckets { get; init => field = OptionCheck.Range(value, 4, 4096, "relative_attention_num_buckets"); } = 32;

    /// <summary>From this distance on all are in the last class. T5-XXL: 128.</summary>
    public int RelativeAttentionMaxDistance { get; init => field = OptionCheck.Range(value, 2, 1_000_000, "relative_attention_max_distance"); } = 128;

    /// <summary>What normalisation adds to the mean square. T5-XXL: 1e-6.</summary>
    public double LayerNormEpsilon { get; init => field = OptionCheck.Range(value, 0, 1, "layer_norm_epsilon"); } = 1e-6;

    /// <summary>Form of the feed-forward layers: <c>gated-gelu</c> or <c>relu</c>. T5-XXL (v1.1): gated-gelu.</summary>
    public string FeedForwardProj { get; init; } = "relu";

    /// <inheritdoc/>
    public void Validate()
    {
        if (FeedForwardProj is not ("gated-gelu" or "relu"))
        {
            throw new ArgumentException($"T5 config: feed_forward_proj must be gated-gelu or relu, but is {FeedForwardProj}.");
        }
        if (RelativeAttentionNumBuckets % 4 != 0)
        {
            throw new ArgumentException($"T5 config: relative_attention_num_buckets must be a multiple of 4, but is {RelativeAttentionNumBuckets}.");
        }
        if (RelativeAttentionMaxDistance <= RelativeAttentionNumBuckets / 4)
        {
            throw new ArgumentException(
                "T5 config: relative_attention_max_distance must be above a quarter of relative_attention_num_buckets "
                    + $"({RelativeAttentionNumBuckets}), but is {RelativeAttentionMaxDistance}.");
        }
    }
}
