using Dsd.Imaging;
using Dsd.Lab.Study.Baselines;
using Dsd.Models.Sampling;

namespace Dsd.Lab.Study;

/// <summary>Draws with a network that takes its reference in a way of its own.</summary>
internal sealed class ReferenceGenerator(ReferenceNetwork network, DsdOptions sampling) : IStudyGenerator
{
    public IReadOnlyList<Picture> Draw(IReadOnlyList<StudyCase> cases, CancellationToken cancellationToken) =>
        FrameDrawing.Run(network, cases, sampling, cancellationToken);

    public void Dispose() => network.Dispose();
}
