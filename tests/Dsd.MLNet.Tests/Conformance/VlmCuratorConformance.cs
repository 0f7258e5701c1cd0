using Dsd.Curation.Grids;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Conformance;

public sealed class VlmCuratorConformance : EstimatorConformance
{
    public VlmCuratorConformance() => SampleClient.Register();

    protected override string Input => "grids";

    protected override IReadOnlyList<string> Added => ["Reference", "Target", "Prompt", "Kept", "Confidence", "Reason"];

    protected override IReadOnlyList<(string, string, string)> Needed => [("grid", "Grid", "Image")];

    protected override bool NeedsClient => true;

    protected override IEstimator<ITransformer> Create(MLContext ml, CancellationToken cancellationToken) => new VlmCurator(ml, new VlmCuratorOptions
    {
        Judge = SampleClient.Name,
        Layout = GridLayout.TwoByTwo,
        CancellationToken = cancellationToken,
    });
}
