namespace Dsd.Models.Sampling;

/// <summary>One picture to draw from text.</summary>
/// <param name="Prompt">What to draw. May be empty; what the tokenizers cannot take is cut off.</param>
/// <param name="Seed">Where the noise starts. The same seed gives the same picture, alone or in a batch, on CPU or GPU, up to rounding.</param>
public sealed record TextToImageRequest(string Prompt, long Seed);
