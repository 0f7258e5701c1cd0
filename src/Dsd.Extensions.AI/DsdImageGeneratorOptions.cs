using Dsd.Common.Options;
using Dsd.Imaging;
using Dsd.Models.Sampling;

namespace Dsd.Extensions.AI;

/// <summary>What a <see cref="DsdImageGenerator"/> draws where a request does not say, and what a request may ask for.</summary>
public sealed record DsdImageGeneratorOptions
{
    /// <summary>The model's name, in metadata and in requests that name one. Null, the default: the preset's or the folder's.</summary>
    public string? ModelId { get; init => field = OptionCheck.TextOrNull(value, nameof(ModelId)); }

    /// <summary>
    /// How a picture is drawn where the request says nothing else; one from text takes size, steps, guidance and text tokens of it. Null, the default: as the
    /// model's preset says, or as it was exported.
    /// </summary>
    public DsdOptions? Frame { get; init; }

    /// <summary>The most pictures of one request, 1 to 1000. They are drawn one after another. Default 10.</summary>
    public int MaxPictures { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(MaxPictures)); } = 10;

    /// <summary>The most pixels of a drawn picture, 256 to 67,108,864. Null, the default: four times those of <see cref="Frame"/>.</summary>
    public long? MaxPixels { get; init => field = OptionCheck.RangeOrNull(value, 256, Picture.MaxPixels, nameof(MaxPixels)); }

    /// <summary>The most steps, 1 to 1000. Default 100.</summary>
    public int MaxSteps { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(MaxSteps)); } = 100;

    /// <summary>The longest prompt in characters, 1 to 1,000,000. What the model's tokenizer cannot take is cut off before that. Default 32,000.</summary>
    public int MaxPromptCharacters { get; init => field = OptionCheck.Range(value, 1, 1_000_000, nameof(MaxPromptCharacters)); } = 32_000;

    /// <summary>The largest reference as a file, in bytes, 1 to 536,870,912. Default 20 MiB.</summary>
    public int MaxReferenceBytes { get; init => field = OptionCheck.Range(value, 1, Picture.MaxEncodedBytes, nameof(MaxReferenceBytes)); } = 20 << 20;

    /// <summary>The most pixels of a reference, 256 to 67,108,864. Default 50,000,000: what a camera takes, and 200 MB while it is decoded.</summary>
    public long MaxReferencePixels { get; init => field = OptionCheck.Range(value, 256, Picture.MaxPixels, nameof(MaxReferencePixels)); } = 50_000_000;

    /// <summary>
    /// How many requests are drawn at once, 1 to 64; others wait for their turn. Default 1: the steps of one picture keep a device busy, and each further one
    /// takes memory.
    /// </summary>
    public int AtOnce { get; init => field = OptionCheck.Range(value, 1, 64, nameof(AtOnce)); } = 1;
}
