using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Dsd.Imaging;

/// <summary>
/// The blocks of a JPEG, PNG or WebP file that say how the picture was taken, found without decoding it. Both are empty where there are
/// none.
/// </summary>
/// <param name="exif">Exif: a small TIFF file, perhaps behind the letters <c>Exif</c>.</param>
/// <param name="xmp">XMP: XML.</param>
internal readonly ref struct PictureMetadata(ReadOnlySpan<byte> exif, ReadOnlySpan<byte> xmp)
{
    // Pillow's bound for a text in a PNG.
    private const int MostText = 1024 * 1024;

    public ReadOnlySpan<byte> Exif { get; } = exif;

    public ReadOnlySpan<byte> Xmp { get; } = xmp;

    /// <summary>Looks into the file. Where its parts do not follow each other as they should, the search ends.</summary>
    public static PictureMetadata Of(ReadOnlySpan<byte> encoded) =>
        encoded.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8, 0xff]) ? OfJpeg(encoded)
        : encoded.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]) ? OfPng(encoded)
        : encoded.Length >= 12 && encoded.StartsWith("RIFF"u8) && encoded[8..12].SequenceEqual("WEBP"u8) ? OfWebP(encoded)
        : default;

    private static PictureMetadata OfJpeg(ReadOnlySpan<byte> encoded)
    {
        ReadOnlySpan<byte> head = "Exif\0\0"u8;
        ReadOnlySpan<byte> xmpHead = "http://ns.adobe.com/xap/1.0/\0"u8;
        ReadOnlySpan<byte> exif = default;
        ReadOnlySpan<byte> xmp = default;
        int at = 2;
        while (at + 1 < encoded.Length)
        {
            byte marker = encoded[at + 1];
            if (encoded[at] != 0xff || marker == 0xff)
            {
                at++;
                continue;
            }
            at += 2;
            // The pixels begin, or the file ends.
            if (marker is 0xda or 0xd9)
            {
                break;
            }
            if (marker is 0 or 1 or (>= 0xd0 and <= 0xd8) or >= 0xf0)
            {
                continue;
            }
            int length = at + 2 <= encoded.Length ? BinaryPrimitives.ReadUInt16BigEndian(encoded[at..]) : 0;
            if (length < 2 || length > encoded.Length - at)
            {
                break;
            }
            ReadOnlySpan<byte> segment = encoded.Slice(at + 2, length - 2);
            at += length;
            if (marker == 0xe1 && segment.StartsWith(head))
            {
                // A block that is too long for one segment goes on in the next.
                exif = exif.IsEmpty ? segment : (byte[])[.. exif, .. segment[head.Length..]];
            }
            else if (marker == 0xe1 && segment.StartsWith(xmpHead))
            {
                xmp = segment[xmpHead.Length..];
            }
        }
        return new PictureMetadata(exif, xmp);
    }

    private static PictureMetadata OfPng(ReadOnlySpan<byte> encoded)
    {
        ReadOnlySpan<byte> exif = default;
        ReadOnlySpan<byte> profile = default;
        ReadOnlySpan<byte> xmp = default;
        // Behind the pixels too: some programs append what they know.
        for (int at = 8; at + 12 <= encoded.Length;)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(encoded[at..]);
            if (length > encoded.Length - at - 12)
            {
                break;
            }
            ReadOnlySpan<byte> kind = encoded.Slice(at + 4, 4);
            ReadOnlySpan<byte> chunk = encoded.Slice(at + 8, (int)length);
            at += 12 + (int)length;
            if (kind.SequenceEqual("IEND"u8))
            {
                break;
            }
            if (kind.SequenceEqual("eXIf"u8))
            {
                exif = chunk;
            }
            else if (TextOf(kind, chunk, "XML:com.adobe.xmp"u8) is { } xml)
            {
                xmp = xml;
            }
            else if (TextOf(kind, chunk, "Raw profile type exif"u8) is { } raw)
            {
                profile = FromHex(raw);
            }
        }
        return new PictureMetadata(exif.IsEmpty ? profile : exif, xmp);
    }

    private static PictureMetadata OfWebP(ReadOnlySpan<byte> encoded)
    {
        const int hasExif = 8;
        const int hasXmp = 4;
        // The extended form alone has such blocks, and says in its header which. Its own length bounds them.
        int end = (int)Math.Min(encoded.Length, 8L + BinaryPrimitives.ReadUInt32LittleEndian(encoded[4..]));
        if (end < 30 || !encoded[12..16].SequenceEqual("VP8X"u8))
        {
            return default;
        }
        int flags = encoded[20];
        ReadOnlySpan<byte> exif = default;
        ReadOnlySpan<byte> xmp = default;
        for (int at = 12; at + 8 <= end;)
        {
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(encoded[(at + 4)..]);
            if (length > end - at - 8)
            {
                break;
            }
            ReadOnlySpan<byte> kind = encoded.Slice(at, 4);
            ReadOnlySpan<byte> chunk = encoded.Slice(at + 8, (int)length);
            at += 8 + (int)length + (int)(length & 1);
            if ((flags & hasExif) != 0 && exif.IsEmpty && kind.SequenceEqual("EXIF"u8))
            {
                exif = chunk;
            }
            else if ((flags & hasXmp) != 0 && xmp.IsEmpty && kind.SequenceEqual("XMP "u8))
            {
                xmp = chunk;
            }
        }
        return new PictureMetadata(exif, xmp);
    }

    /// <summary>The text that stands under a key in a PNG's chunk; null where the chunk is no text, has another key, or cannot be read.</summary>
    private static byte[]? TextOf(ReadOnlySpan<byte> kind, ReadOnlySpan<byte> chunk, ReadOnlySpan<byte> key)
    {
        if (!chunk.StartsWith(key) || chunk.Length <= key.Length || chunk[key.Length] != 0)
        {
            return null;
        }
        ReadOnlySpan<byte> rest = chunk[(key.Length + 1)..];
        if (kind.SequenceEqual("tEXt"u8))
        {
            return rest.ToArray();
        }
        if (kind.SequenceEqual("zTXt"u8))
        {
            return rest is [0, ..] ? Inflated(rest[1..]) : null;
        }
        if (!kind.SequenceEqual("iTXt"u8) || rest.Length < 2)
        {
            return null;
        }
        // Whether it is compressed and how, then the language and the key in that language, each up to a zero.
        bool compressed = rest[0] != 0;
        rest = rest[2..];
        for (int i = 0; i < 2; i++)
        {
            int zero = rest.IndexOf((byte)0);
            if (zero < 0)
            {
                return null;
            }
            rest = rest[(zero + 1)..];
        }
        return compressed ? Inflated(rest) : rest.ToArray();
    }

    private static byte[]? Inflated(ReadOnlySpan<byte> deflated)
    {
        using MemoryStream source = new(deflated.ToArray());
        using ZLibStream zlib = new(source, CompressionMode.Decompress);
        byte[] text = new byte[MostText + 1];
        try
        {
            int length = zlib.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            return length <= MostText ? text[..length] : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    // ImageMagick's form: an empty line, the profile's name, its length, and lines of hexadecimal digits.
    private static byte[] FromHex(byte[] text)
    {
        string digits = string.Concat(Encoding.Latin1.GetString(text).Split('\n').Skip(3)).Replace("\r", "", StringComparison.Ordinal)
            .Replace(" ", "", StringComparison.Ordinal);
        return digits.Length % 2 == 0 && digits.All(char.IsAsciiHexDigit) ? Convert.FromHexString(digits) : [];
    }
}
