using Dsd.Imaging;

namespace Dsd.Models.Training.Cache;

/// <summary>A pair on its way into the cache.</summary>
/// <param name="Reference">The subject.</param>
/// <param name="Target">The same subject elsewhere.</param>
/// <param name="Prompt">What the target shows.</param>
/// <param name="Source">A name for error messages. Null where its number has to do.</param>
internal sealed record PairContent(PictureContent Reference, PictureContent Target, string Prompt, string? Source)
{
    /// <summary>A pair of pictures in memory.</summary>
    public static PairContent Of(TrainingPair pair) => new(PictureContent.Of(pair.Reference), PictureContent.Of(pair.Target), pair.Prompt, null);

    /// <summary>A pair of pictures as files' bytes.</summary>
    /// <exception cref="PictureException">The bytes are no picture.</exception>
    public static PairContent Of(EncodedPair pair) => new(
        PictureContent.Of(pair.Reference, $"{pair.Source}, reference"), PictureContent.Of(pair.Target, $"{pair.Source}, target"), pair.Prompt, pair.Source);
}
