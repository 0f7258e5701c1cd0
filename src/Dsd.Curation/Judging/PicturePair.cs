using Dsd.Imaging;

namespace Dsd.Curation.Judging;

/// <summary>Two pictures to be compared.</summary>
/// <param name="A">The first picture, usually the reference.</param>
/// <param name="B">The second picture, usually the target.</param>
public sealed record PicturePair(Picture A, Picture B);
