using Dsd.Common.Options;
using Dsd.Imaging;

namespace Dsd.Models.Sampling;

/// <summary>One picture to draw from a reference and text.</summary>
/// <param name="Reference">The subject. It is cut to the frame's aspect ratio around its centre and scaled to the frame.</param>
/// <param name="Prompt">What the subject shall do, and where.</param>
/// <param name="Seed">Where the noise starts. The same seed gives the same picture, alone or in a batch, on CPU or GPU, up to rounding.</param>
public sealed record DsdRequest(Picture Reference, string Prompt, long Seed)
{
    /// <summary>The least width and height of a reference in pixels: smaller ones show no subject, and most likely are a mistake.</summary>
    public const int LeastReferenceSide = 16;

    /// <summary>The same asked for several times: with this seed and those after it, so that the nth picture is the same however many are asked for.</summary>
    /// <param name="images">How many, 1 to 1000.</param>
    public IReadOnlyList<DsdRequest> Times(int images) =>
        [.. Enumerable.Range(0, OptionCheck.Range(images, 1, 1000, nameof(images))).Select(i => this with { Seed = checked(Seed + i) })];

    /// <summary>Checks the requests of a batch.</summary>
    /// <exception cref="ArgumentException">There is none, or one is incomplete or has a reference below <see cref="LeastReferenceSide"/>; names
    /// which.</exception>
    public static void CheckAll(IReadOnlyList<DsdRequest> requests)
    {
        ArgumentNullException.ThrowIfNull(requests);
        if (requests.Count == 0)
        {
            throw new ArgumentException("At least one request is needed, but there is none.", nameof(requests));
        }
        for (int i = 0; i < requests.Count; i++)
        {
            if (requests[i] is not { Reference: { } reference, Prompt: not null })
            {
                throw new ArgumentException($"Request {i} has no reference or no prompt (an empty prompt is allowed).", nameof(requests));
            }
            if (reference.Width < LeastReferenceSide || reference.Height < LeastReferenceSide)
            {
                throw new ArgumentException(
                    $"The reference of request {i} must be at least {LeastReferenceSide} × {LeastReferenceSide} pixels, "
                        + $"but is {reference.Width} × {reference.Height}.",
                    nameof(requests));
            }
        }
    }
}
