using Dsd.MLNet.Tests.Evaluation;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Conformance;

public sealed class ImageEmbeddingConformance : EstimatorConformance
{
    protected override string Input => "references";

    protected override IReadOnlyList<string> Added => ["Embedding"];

    protected override IReadOnlyList<(string, string, string)> Needed => [("image", "Reference", "Image")];

    protected override IEstimator<ITransformer> Create(MLContext ml, CancellationToken cancellationToken) => new ImageEmbedding(
        ml, new ImageEmbeddingOptions { Encoder = TestEncoders.Folder("dino"), ImageColumn = "Reference", CancellationToken = cancellationToken });
}
