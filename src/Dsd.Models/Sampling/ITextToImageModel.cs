using Dsd.Imaging;

namespace Dsd.Models.Sampling;

/// <summary>A model that draws pictures from text: the teacher.</summary>
public interface ITextToImageModel : IDisposable
{
    /// <summary>Draws one picture for each request, in one batch. A picture depends on its own request only, not on its neighbours.</summary>
    /// <param name="requests">Prompts with seeds, at least one.</param>
    /// <param name="options">Size, steps and guidance, for the whole batch.</param>
    /// <param name="progress">Called after each step.</param>
    /// <param name="cancellationToken">Checked between steps.</param>
    /// <returns>The pictures, in the order of the requests.</returns>
    IReadOnlyList<Picture> Generate(
        IReadOnlyList<TextToImageRequest> requests,
        TextToImageOptions options,
        IProgress<SamplingProgress>? progress = null,
        CancellationToken cancellationToken = default);
}
