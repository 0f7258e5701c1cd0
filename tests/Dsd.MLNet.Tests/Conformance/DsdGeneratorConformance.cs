using Dsd.Models.Sampling;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Conformance;

public sealed class DsdGeneratorConformance : EstimatorConformance
{
    protected override string Input => "references";

    protected override IReadOnlyList<string> Added => ["Generated"];

    protected override IReadOnlyList<(string, string, string)> Needed => [("reference", "Reference", "Image"), ("prompt", "Prompt", "String")];

    protected override IEstimator<ITransformer> Create(MLContext ml, CancellationToken cancellationToken) => new DsdGenerator(ml, new DsdGeneratorOptions
    {
        Model = OwnFixtures.TinyFlux,
        ReleaseFolder = OwnFixtures.TinyDsd,
        Sampling = new DsdOptions { Width = 32, Height = 32, Steps = 2, MaxTextTokens = 64 },
        CancellationToken = cancellationToken,
    });
}
