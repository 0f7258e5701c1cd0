using Dsd.Common.Options;

namespace Dsd.Models.Sampling;

/// <summary>One picture to draw from text.</summary>
/// <param name="Prompt">What to draw. May be empty; what the tokenizers cannot take is cut off.</param>
/// <param name="Seed">Where the noise starts. The same seed gives the same picture, alone or in a batch, on CPU or GPU, up to rounding.</param>
public sealed record TextToImageRequest(string Prompt, long Seed)
{
    /// <summary>The same asked for several times: with this seed and those after it, so that the nth picture is the same however many are asked for.</summary>
    /// <param name="images">How many, 1 to 1000.</param>
    public IReadOnlyList<TextToImageRequest> Times(int images) =>
        [.. Enumerable.Range(0, OptionCheck.Range(images, 1, 1000, nameof(images))).Select(i => this with { Seed = checked(Seed + i) })];
}
