using System.Security.Cryptography;
using Dsd.Imaging;

namespace Dsd.Models.Training.Cache;

/// <summary>A picture of a pair: what it is known by, and the picture itself where somebody needs it.</summary>
/// <param name="Hash">A hash of its size and pixels, or of its file's bytes.</param>
/// <param name="Width">Its width.</param>
/// <param name="Height">Its height.</param>
/// <param name="Decoded">The picture, decoded when it is asked for.</param>
internal sealed record PictureContent(byte[] Hash, int Width, int Height, Lazy<Picture> Decoded)
{
    /// <summary>A picture in memory.</summary>
    public static PictureContent Of(Picture picture)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("pixels"u8);
        hash.AppendData(BitConverter.GetBytes(picture.Width));
        hash.AppendData(BitConverter.GetBytes(picture.Height));
        hash.AppendData(picture.Pixels);
        return new PictureContent(hash.GetHashAndReset(), picture.Width, picture.Height, new Lazy<Picture>(picture));
    }

    /// <summary>A picture as a file's bytes.</summary>
    /// <exception cref="PictureException">The bytes are no picture.</exception>
    public static PictureContent Of(ReadOnlyMemory<byte> encoded, string source)
    {
        (int width, int height) = Picture.SizeOf(encoded.Span, source);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("file"u8);
        hash.AppendData(encoded.Span);
        return new PictureContent(hash.GetHashAndReset(), width, height, new Lazy<Picture>(() => Picture.Decode(encoded.Span, source)));
    }
}
