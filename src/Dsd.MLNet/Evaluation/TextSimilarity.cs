using Microsoft.ML.Runtime;

namespace Dsd.MLNet;

/// <summary>Says how well a picture shows what a text says, to CLIP: the metric CLIP-T.</summary>
/// <remarks>
/// <list type="table">
/// <item><term>Training</term><description>none.</description></item>
/// <item><term>Reads</term><description><c>Generated</c> (image), <c>Prompt</c> (text).</description></item>
/// <item><term>Adds</term><description><c>TextSimilarity</c> (a cosine, −1 to 1), with the annotations <c>Metric</c>, <c>EncoderKind</c> and
/// <c>EncoderSource</c>.</description></item>
/// </list>
/// </remarks>
public sealed class TextSimilarity : EncoderEstimator<TextSimilarityTransformer>
{
    private readonly TextSimilarityOptions _options;

    /// <summary>An estimator with the given options, whose encoder is CLIP.</summary>
    public TextSimilarity(IHostEnvironment mlContext, TextSimilarityOptions options)
        : base(mlContext)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
    }

    private protected override TextSimilarityTransformer Create(IHostEnvironment environment) => new(environment, _options);
}
