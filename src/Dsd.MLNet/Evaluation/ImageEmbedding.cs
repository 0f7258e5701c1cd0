using Microsoft.ML.Runtime;

namespace Dsd.MLNet;

/// <summary>Turns each picture into the vector that an encoder sees in it: CLIP, DINO, DINOv2 or CSD.</summary>
/// <remarks>
/// <list type="table">
/// <item><term>Training</term><description>none.</description></item>
/// <item><term>Reads</term><description><c>Image</c> (image).</description></item>
/// <item><term>Adds</term><description><c>Embedding</c> (a vector of the encoder's width, in single precision), with the annotations <c>EncoderKind</c> and
/// <c>EncoderSource</c>.</description></item>
/// </list>
/// CSD's vectors have length 1; others do not.
/// </remarks>
public sealed class ImageEmbedding : EncoderEstimator<ImageEmbeddingTransformer>
{
    private readonly ImageEmbeddingOptions _options;

    /// <summary>An estimator with the given options.</summary>
    public ImageEmbedding(IHostEnvironment mlContext, ImageEmbeddingOptions options)
        : base(mlContext)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
    }

    private protected override ImageEmbeddingTransformer Create(IHostEnvironment environment) => new(environment, _options);
}
