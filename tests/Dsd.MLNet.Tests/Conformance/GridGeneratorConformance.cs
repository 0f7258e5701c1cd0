using Dsd.Curation.Grids;
using Dsd.Models.Sampling;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Conformance;

public sealed class GridGeneratorConformance : EstimatorConformance
{
    protected override string Input => "captions";

    protected override IReadOnlyList<string> Added => ["GridPrompt", "PanelCaptions", "Grid"];

    protected override IReadOnlyList<(string, string, string)> Needed => [("caption", "Caption", "String")];

    protected override IEstimator<ITransformer> Create(MLContext ml, CancellationToken cancellationToken) => new GridGenerator(ml, new GridGeneratorOptions
    {
        Model = OwnFixtures.TinyFlux,
        Layout = GridLayout.OneByTwo,
        Sampling = new TextToImageOptions { Width = 64, Height = 32, Steps = 2, MaxTextTokens = 64 },
        CancellationToken = cancellationToken,
    });
}
