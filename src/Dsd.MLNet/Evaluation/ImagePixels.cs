using Microsoft.ML.Runtime;

namespace Dsd.MLNet;

/// <summary>
/// Makes of each picture the numbers that an encoder's network takes, scaled and cut to the byte as its own code does it, so that ML.NET's
/// <c>ApplyOnnxModel</c> can run the network as the next stage. ML.NET's own <c>ResizeImages</c> scales otherwise, which moves every score.
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><term>Training</term><description>none.</description></item>
/// <item><term>Reads</term><description><c>Image</c> (image).</description></item>
/// <item><term>Adds</term><description><c>pixel_values</c> (a vector [3, height, width] in single precision), with the annotations <c>EncoderKind</c> and
/// <c>EncoderSource</c>.</description></item>
/// </list>
/// </remarks>
public sealed class ImagePixels : EncoderEstimator<ImagePixelsTransformer>
{
    private readonly ImagePixelsOptions _options;

    /// <summary>An estimator with the given options.</summary>
    public ImagePixels(IHostEnvironment mlContext, ImagePixelsOptions options)
        : base(mlContext)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
    }

    private protected override ImagePixelsTransformer Create(IHostEnvironment environment) => new(environment, _options);
}
