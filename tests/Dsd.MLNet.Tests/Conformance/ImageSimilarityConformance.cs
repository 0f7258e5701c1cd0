using Dsd.MLNet.Tests.Evaluation;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Conformance;

public sealed class ImageSimilarityConformance : EstimatorConformance
{
    protected override string Input => "pairs";

    protected override IReadOnlyList<string> Added => ["Similarity", "Copied", "NearCopy"];

    protected override IReadOnlyList<(string, string, string)> Needed => [("reference", "Reference", "Image"), ("generated", "Target", "Image")];

    protected override IEstimator<ITransformer> Create(MLContext ml, CancellationToken cancellationToken) => new ImageSimilarity(ml, new ImageSimilarityOptions
    {
        Encoder = TestEncoders.Folder("csd"),
        GeneratedColumn = "Target",
        CopyPasteColumn = "Copied",
        NearCopyColumn = "NearCopy",
        CancellationToken = cancellationToken,
    });
}
