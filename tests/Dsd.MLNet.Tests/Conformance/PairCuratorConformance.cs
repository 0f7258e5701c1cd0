using Microsoft.ML;

namespace Dsd.MLNet.Tests.Conformance;

public sealed class PairCuratorConformance : EstimatorConformance
{
    public PairCuratorConformance() => SampleClient.Register();

    protected override string Input => "pairs";

    protected override IReadOnlyList<string> Added => ["Same", "Sureness", "Why"];

    protected override IReadOnlyList<(string, string, string)> Needed => [("reference", "Reference", "Image"), ("target", "Target", "Image")];

    protected override bool NeedsClient => true;

    protected override IEstimator<ITransformer> Create(MLContext ml, CancellationToken cancellationToken) =>
        new PairCurator(ml, new PairCuratorOptions
        {
            Judge = SampleClient.Name,
            KeptColumn = "Same",
            ConfidenceColumn = "Sureness",
            ReasonColumn = "Why",
            CancellationToken = cancellationToken,
        });
}
