using Dsd.MLNet.Tests.Evaluation;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Conformance;

public sealed class TextSimilarityConformance : EstimatorConformance
{
    protected override string Input => "references";

    protected override IReadOnlyList<string> Added => ["TextSimilarity"];

    protected override IReadOnlyList<(string, string, string)> Needed => [("image", "Reference", "Image"), ("text", "Prompt", "String")];

    protected override IEstimator<ITransformer> Create(MLContext ml, CancellationToken cancellationToken) => new TextSimilarity(
        ml, new TextSimilarityOptions { Encoder = TestEncoders.Folder("clip"), ImageColumn = "Reference", CancellationToken = cancellationToken });
}
