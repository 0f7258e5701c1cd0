using System.Buffers.Binary;

namespace Dsd.Imaging;

/// <summary>How a picture's pixels must be turned to stand as they were seen, as Exif counts it: 1 is as they are, 2 to 8 are mirrored or turned.</summary>
/// <remarks>
/// The rule is Pillow's (<c>ImageOps.exif_transpose</c> of version 12): the first directory of Exif, and where that says nothing, XMP. What
/// is damaged says nothing.
/// </remarks>
internal static class Orientation
{
    /// <summary>The picture as it was seen.</summary>
    public const int Upright = 1;

    private const int Tag = 274;

    /// <summary>What an encoded picture says of itself; <see cref="Upright"/> where it says nothing that can be read.</summary>
    public static int Of(ReadOnlySpan<byte> encoded)
    {
        PictureMetadata metadata = PictureMetadata.Of(encoded);
        double? found = OfExif(metadata.Exif) ?? OfXmp(metadata.Xmp);
        return found is >= 2 and <= 8 && found == Math.Floor(found.Value) ? (int)found.Value : Upright;
    }

    /// <summary>Whether width and height change places.</summary>
    public static bool IsOnItsSide(int orientation) => orientation is >= 5 and <= 8;

    /// <summary>Turns and mirrors pixels.</summary>
    /// <returns>The new size and pixels; those that were given where there is nothing to do.</returns>
    public static (int Width, int Height, byte[] Pixels) Applied(int orientation, int width, int height, byte[] rgb)
    {
        int last = width * height - 1;
        // Where the first pixel comes from, and how far the next one to the right and the next one below lie from it.
        (int from, int right, int below) = orientation switch
        {
            2 => (width - 1, -1, width),
            3 => (last, -1, -width),
            4 => (last - width + 1, 1, -width),
            5 => (0, width, 1),
            6 => (last - width + 1, -width, 1),
            7 => (last, -width, -1),
            8 => (width - 1, width, -1),
            _ => (0, 1, width),
        };
        if (orientation is < 2 or > 8)
        {
            return (width, height, rgb);
        }
        (int w, int h) = IsOnItsSide(orientation) ? (height, width) : (width, height);
        byte[] turned = new byte[rgb.Length];
        for (int y = 0, to = 0; y < h; y++)
        {
            for (int x = 0; x < w; x++, to += 3)
            {
                rgb.AsSpan(3 * (from + x * right + y * below), 3).CopyTo(turned.AsSpan(to));
            }
        }
        return (w, h, turned);
    }

    /// <summary>
    /// The tag's value in an Exif block; null where it has none. The last of several counts, and reading ends at the first value that lies
    /// outside of the block.
    /// </summary>
    private static double? OfExif(ReadOnlySpan<byte> exif)
    {
        while (exif.StartsWith("Exif\0\0"u8))
        {
            exif = exif[6..];
        }
        if (exif.Length < 8 || !(exif[..2].SequenceEqual("II"u8) || exif[..2].SequenceEqual("MM"u8)) || (exif[2], exif[3]) is not ((0, 42) or (42, 0)))
        {
            return null;
        }
        bool little = exif[0] == 'I';
        uint start = UInt32(exif[4..], little);
        if (start > exif.Length - 2)
        {
            return null;
        }
        ReadOnlySpan<byte> directory = exif[(int)start..];
        int count = UInt16(directory, little);
        double? found = null;
        for (int entry = 2; count > 0 && entry + 12 <= directory.Length; entry += 12, count--)
        {
            ReadOnlySpan<byte> fields = directory.Slice(entry, 12);
            int unit = Size(UInt16(fields[2..], little));
            ulong bytes = UInt32(fields[4..], little) * (ulong)unit;
            if (bytes == 0)
            {
                continue;
            }
            ReadOnlySpan<byte> value = fields[8..];
            if (bytes > 4)
            {
                uint offset = UInt32(value, little);
                if (offset > exif.Length || bytes > (ulong)exif.Length - offset)
                {
                    break;
                }
                value = exif[(int)offset..];
            }
            found = UInt16(fields, little) == Tag ? Number(value, UInt16(fields[2..], little), little) : found;
        }
        return found;
    }

    // Attribute or element, as Pillow's pattern 'tiff:Orientation(="|>)([0-9])' has it.
    private static double? OfXmp(ReadOnlySpan<byte> xmp)
    {
        ReadOnlySpan<byte> name = "tiff:Orientation"u8;
        for (int at = xmp.IndexOf(name); at >= 0; at = xmp.IndexOf(name))
        {
            xmp = xmp[(at + name.Length)..];
            int digit = xmp.StartsWith("=\""u8) ? 2 : xmp.StartsWith(">"u8) ? 1 : xmp.Length;
            if (digit < xmp.Length && char.IsAsciiDigit((char)xmp[digit]))
            {
                return xmp[digit] - '0';
            }
        }
        return null;
    }

    /// <summary>A value's bytes by its TIFF type; 0 for types that there are not.</summary>
    private static int Size(int type) => type switch
    {
        1 or 2 or 6 or 7 => 1,
        3 or 8 => 2,
        4 or 9 or 11 or 13 => 4,
        5 or 10 or 12 or 16 => 8,
        _ => 0,
    };

    // Bytes and texts are there, but are no number: they also keep XMP from being asked.
    private static double Number(ReadOnlySpan<byte> value, int type, bool little) => type switch
    {
        3 => UInt16(value, little),
        4 or 13 => UInt32(value, little),
        5 => UInt32(value, little) / (double)UInt32(value[4..], little),
        6 => (sbyte)value[0],
        8 => (short)UInt16(value, little),
        9 => (int)UInt32(value, little),
        10 => (int)UInt32(value, little) / (double)(int)UInt32(value[4..], little),
        11 => little ? BinaryPrimitives.ReadSingleLittleEndian(value) : BinaryPrimitives.ReadSingleBigEndian(value),
        12 => little ? BinaryPrimitives.ReadDoubleLittleEndian(value) : BinaryPrimitives.ReadDoubleBigEndian(value),
        16 => little ? BinaryPrimitives.ReadUInt64LittleEndian(value) : BinaryPrimitives.ReadUInt64BigEndian(value),
        _ => double.NaN,
    };

    private static ushort UInt16(ReadOnlySpan<byte> bytes, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);

    private static uint UInt32(ReadOnlySpan<byte> bytes, bool little) =>
        little ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);
}
