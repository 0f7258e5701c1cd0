using Dsd.MLNet.Tests.Evaluation;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Conformance;

public sealed class ImagePixelsConformance : EstimatorConformance
{
    protected override string Input => "references";

    protected override IReadOnlyList<string> Added => ["pixel_values"];

    protected override IReadOnlyList<(string, string, string)> Needed => [("image", "Reference", "Image")];

    protected override IEstimator<ITransformer> Create(MLContext ml, CancellationToken cancellationToken) => new ImagePixels(
        ml, new ImagePixelsOptions { Encoder = TestEncoders.Folder("clip"), ImageColumn = "Reference", CancellationToken = cancellationToken });
}
