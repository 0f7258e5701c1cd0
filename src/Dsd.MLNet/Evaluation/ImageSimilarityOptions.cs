using Dsd.Common.Options;
using Dsd.Evaluation.Metrics;

namespace Dsd.MLNet;

/// <summary>How an <see cref="ImageSimilarity"/> computes, and its columns.</summary>
public sealed record ImageSimilarityOptions : EncoderStageOptions
{
    /// <summary>The image column with the subject. Default <c>Reference</c>.</summary>
    public string ReferenceColumn { get; init => field = OptionCheck.Text(value, nameof(ReferenceColumn)); } = "Reference";

    /// <summary>The image column that is compared with it. Default <c>Generated</c>.</summary>
    public string GeneratedColumn { get; init => field = OptionCheck.Text(value, nameof(GeneratedColumn)); } = "Generated";

    /// <summary>The added column with the cosine of both embeddings, −1 to 1. Default <c>Similarity</c>.</summary>
    public string SimilarityColumn { get; init => field = OptionCheck.Text(value, nameof(SimilarityColumn)); } = "Similarity";

    /// <summary>
    /// An added column that says how far the generated picture repeats the reference, 0 to 1 (<see cref="Similarity.CopyPaste"/>). It takes half as long
    /// again. Null, the default, adds none.
    /// </summary>
    public string? CopyPasteColumn { get; init => field = OptionCheck.TextOrNull(value, nameof(CopyPasteColumn)); }

    /// <summary>An added Boolean column: whether the similarity is above <see cref="NearCopyBound"/>. Null, the default, adds none.</summary>
    public string? NearCopyColumn { get; init => field = OptionCheck.TextOrNull(value, nameof(NearCopyColumn)); }

    /// <summary>The similarity above which the generated picture counts as nearly a copy, −1 to 1. Default <see cref="Similarity.NearCopy"/>.</summary>
    public double NearCopyBound { get; init => field = OptionCheck.Range(value, -1.0, 1.0, nameof(NearCopyBound)); } = Similarity.NearCopy;
}
