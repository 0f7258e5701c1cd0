using Dsd.Imaging;

namespace Dsd.Models.Sampling;

/// <summary>One picture to draw from a reference and text.</summary>
/// <param name="Reference">The subject. It is cut to the frame's aspect ratio around its centre and scaled to the frame.</param>
/// <param name="Prompt">What the subject shall do, and where.</param>
/// <param name="Seed">Where the noise starts. The same seed gives the same picture, alone or in a batch, on CPU or GPU, up to rounding.</param>
public sealed record DsdRequest(Picture Reference, string Prompt, long Seed);
