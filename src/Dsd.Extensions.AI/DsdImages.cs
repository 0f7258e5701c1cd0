using Dsd.Imaging;

namespace Dsd.Extensions.AI;

/// <summary>The raw representation of an answer: the pictures before they were encoded.</summary>
/// <param name="Pictures">The pictures, in the order of the answer's contents.</param>
/// <param name="Seeds">The seed of each.</param>
public sealed record DsdImages(IReadOnlyList<Picture> Pictures, IReadOnlyList<long> Seeds);
