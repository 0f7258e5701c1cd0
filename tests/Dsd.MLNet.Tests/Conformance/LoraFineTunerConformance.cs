using Dsd.Models.Training;
using Microsoft.ML;

namespace Dsd.MLNet.Tests.Conformance;

public sealed class LoraFineTunerConformance : EstimatorConformance
{
    protected override string Input => "pairs";

    protected override IReadOnlyList<string> Added => ["Adapter"];

    protected override IReadOnlyList<(string, string, string)> Needed =>
        [("reference", "Reference", "Image"), ("target", "Target", "Image"), ("prompt", "Prompt", "String")];

    protected override IEstimator<ITransformer> Create(MLContext ml, CancellationToken cancellationToken) => new LoraFineTuner(ml, new LoraFineTunerOptions
    {
        Model = OwnFixtures.TinyFlux,
        Training = new LoraTrainingOptions { Width = 32, Height = 32, Steps = 2, MaxTextTokens = 64 },
        CancellationToken = cancellationToken,
    });
}
