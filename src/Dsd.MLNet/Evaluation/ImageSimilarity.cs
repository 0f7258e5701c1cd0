using Dsd.MLNet.Stages;
using Microsoft.ML.Runtime;

namespace Dsd.MLNet;

/// <summary>Says how alike two pictures are to an encoder: the metrics CLIP-I, DINO, DINOv2 and CSD, after the encoder that is given.</summary>
/// <remarks>
/// <list type="table">
/// <item><term>Training</term><description>none.</description></item>
/// <item><term>Reads</term><description><c>Reference</c> and <c>Generated</c> (images).</description></item>
/// <item><term>Adds</term><description><c>Similarity</c> (a cosine, −1 to 1), with the annotations <c>Metric</c>, <c>EncoderKind</c> and
/// <c>EncoderSource</c>; where the options name them, a column that says how far the picture is a copy, and one that says whether it nearly is.
/// </description></item>
/// </list>
/// </remarks>
public sealed class ImageSimilarity : EncoderEstimator<ImageSimilarityTransformer>
{
    private readonly ImageSimilarityOptions _options;

    /// <summary>An estimator with the given options.</summary>
    /// <exception cref="ArgumentException">Two of the added columns have one name.</exception>
    public ImageSimilarity(IHostEnvironment mlContext, ImageSimilarityOptions options)
        : base(mlContext)
    {
        ArgumentNullException.ThrowIfNull(options);
        StageOptionCheck.Different(new[] { options.SimilarityColumn, options.CopyPasteColumn, options.NearCopyColumn }.OfType<string>());
        _options = options;
    }

    private protected override ImageSimilarityTransformer Create(IHostEnvironment environment) => new(environment, _options);
}
