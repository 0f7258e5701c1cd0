using Dsd.Common.Options;

namespace Dsd.MLNet;

/// <summary>How a <see cref="TextSimilarity"/> computes, and its columns.</summary>
public sealed record TextSimilarityOptions : EncoderStageOptions
{
    /// <summary>The image column. Default <c>Generated</c>.</summary>
    public string ImageColumn { get; init => field = OptionCheck.Text(value, nameof(ImageColumn)); } = "Generated";

    /// <summary>The text column that says what the picture shows. Default <c>Prompt</c>.</summary>
    public string TextColumn { get; init => field = OptionCheck.Text(value, nameof(TextColumn)); } = "Prompt";

    /// <summary>The added column with the cosine of both embeddings, −1 to 1; some papers multiply it by 100. Default <c>TextSimilarity</c>.</summary>
    public string SimilarityColumn { get; init => field = OptionCheck.Text(value, nameof(SimilarityColumn)); } = "TextSimilarity";
}
