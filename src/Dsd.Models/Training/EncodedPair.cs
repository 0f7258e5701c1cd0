namespace Dsd.Models.Training;

/// <summary>
/// A <see cref="TrainingPair"/> whose pictures are still files' bytes, as a dataset has them. What a cache already holds of it is found by these bytes, and
/// no picture is decoded.
/// </summary>
/// <param name="Reference">The subject: the bytes of a PNG, JPEG, WebP, BMP or GIF file.</param>
/// <param name="Target">The same subject elsewhere, likewise.</param>
/// <param name="Prompt">What the target shows.</param>
/// <param name="Source">A name for error messages: a file, and which row of it.</param>
public sealed record EncodedPair(ReadOnlyMemory<byte> Reference, ReadOnlyMemory<byte> Target, string Prompt, string Source);
