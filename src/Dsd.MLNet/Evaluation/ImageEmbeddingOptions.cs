using Dsd.Common.Options;

namespace Dsd.MLNet;

/// <summary>How an <see cref="ImageEmbedding"/> computes, and its columns.</summary>
public sealed record ImageEmbeddingOptions : EncoderStageOptions
{
    /// <summary>The image column. Default <c>Image</c>.</summary>
    public string ImageColumn { get; init => field = OptionCheck.Text(value, nameof(ImageColumn)); } = "Image";

    /// <summary>The added column with the embedding. Default <c>Embedding</c>.</summary>
    public string EmbeddingColumn { get; init => field = OptionCheck.Text(value, nameof(EmbeddingColumn)); } = "Embedding";
}
