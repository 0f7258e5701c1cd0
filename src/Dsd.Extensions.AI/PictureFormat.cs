using Dsd.Imaging;
using Microsoft.Extensions.AI;

namespace Dsd.Extensions.AI;

/// <summary>How pictures of an answer are encoded.</summary>
/// <param name="MediaType">One of <see cref="MediaTypes"/>.</param>
/// <param name="Quality">1 to 100, for the formats with loss.</param>
internal sealed record PictureFormat(string MediaType, int? Quality)
{
    /// <summary>What can be encoded.</summary>
    public static IReadOnlyList<string> MediaTypes { get; } = ["image/png", "image/jpeg", "image/webp"];

    public static PictureFormat Of(string? mediaType, int? quality)
    {
        PictureFormat format = new(mediaType?.ToLowerInvariant() ?? MediaTypes[0], quality);
        if (!MediaTypes.Contains(format.MediaType))
        {
            throw new DsdImageRequestException("output_format", $"Pictures are encoded as {string.Join(", ", MediaTypes)}, but '{mediaType}' was asked for.");
        }
        return quality is null || format.MediaType != MediaTypes[0]
            ? format
            : throw new DsdImageRequestException(
                DsdImageProperties.EncodingQuality, "A quality is for JPEG and WebP; a PNG has no loss. Leave it out, or ask for another media type.");
    }

    public DataContent Encode(Picture picture, long seed, bool quickly = false)
    {
        const int Usual = 90;
        byte[] bytes = MediaType switch
        {
            "image/png" => picture.EncodePng(quickly),
            "image/jpeg" => picture.EncodeJpeg(Quality ?? Usual),
            _ => picture.EncodeWebp(Quality ?? Usual),
        };
        return new DataContent(bytes, MediaType)
        {
            Name = $"{seed}.{MediaType[6..]}",
            AdditionalProperties = new() { [DsdImageProperties.Seed] = seed },
            RawRepresentation = picture,
        };
    }
}
