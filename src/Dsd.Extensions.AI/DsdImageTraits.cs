using Dsd.Models.Sampling;

namespace Dsd.Extensions.AI;

/// <summary>What a <see cref="DsdImageGenerator"/> can draw: it gives this by <c>GetService</c>.</summary>
/// <param name="FromReference">Whether it draws from a reference.</param>
/// <param name="FromText">Whether it draws from a prompt alone.</param>
/// <param name="TakesGuidance">Whether a request may ask for distilled guidance.</param>
/// <param name="Frame">How a picture is drawn where a request says nothing.</param>
/// <param name="MaxPixels">The most pixels of a drawn picture.</param>
/// <param name="Options">What a request may ask for.</param>
public sealed record DsdImageTraits(
    bool FromReference, bool FromText, bool TakesGuidance, DsdOptions Frame, long MaxPixels, DsdImageGeneratorOptions Options);
