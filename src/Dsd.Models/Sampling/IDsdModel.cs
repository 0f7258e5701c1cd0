using Dsd.Imaging;

namespace Dsd.Models.Sampling;

/// <summary>A model that draws the subject of a reference picture as a prompt says: the distilled student.</summary>
public interface IDsdModel : IDisposable
{
    /// <summary>Draws one picture for each request, in one batch. A picture depends on its own request only, not on its neighbours.</summary>
    /// <param name="requests">References, prompts and seeds, at least one.</param>
    /// <param name="options">Frame size, steps and guidance, for the whole batch.</param>
    /// <param name="progress">Called after each step.</param>
    /// <param name="cancellationToken">Checked between steps.</param>
    /// <returns>The pictures (the right frame of each canvas), in the order of the requests.</returns>
    IReadOnlyList<Picture> Generate(
        IReadOnlyList<DsdRequest> requests,
        DsdOptions options,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default);
}
