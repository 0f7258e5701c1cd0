using System.Buffers.Binary;
using System.Text;

namespace Dsd.Testing;

/// <summary>Puts blocks into picture files that say how the pixels must be turned, as cameras and programs do.</summary>
public static class Oriented
{
    /// <summary>A TIFF directory with a camera's name, whose text lies behind the directory, and an orientation.</summary>
    public static byte[] Exif(int orientation, bool bigEndian = false, ushort type = 3)
    {
        byte[] tiff = new byte[8 + 2 + 2 * 12 + 4 + 8];
        Action<int, ushort> two = bigEndian
            ? (at, v) => BinaryPrimitives.WriteUInt16BigEndian(tiff.AsSpan(at), v)
            : (at, v) => BinaryPrimitives.WriteUInt16LittleEndian(tiff.AsSpan(at), v);
        Action<int, uint> four = bigEndian
            ? (at, v) => BinaryPrimitives.WriteUInt32BigEndian(tiff.AsSpan(at), v)
            : (at, v) => BinaryPrimitives.WriteUInt32LittleEndian(tiff.AsSpan(at), v);
        (tiff[0], tiff[1]) = bigEndian ? ((byte)'M', (byte)'M') : ((byte)'I', (byte)'I');
        two(2, 42);
        four(4, 8);
        two(8, 2);
        two(10, 271);
        two(12, 2);
        four(14, 8);
        four(18, 38);
        two(22, 274);
        two(24, type);
        four(26, 1);
        if (type == 3)
        {
            two(30, (ushort)orientation);
        }
        else if (type == 1)
        {
            tiff[30] = (byte)orientation;
        }
        else
        {
            four(30, (uint)orientation);
        }
        "camera\0\0"u8.CopyTo(tiff.AsSpan(38));
        return tiff;
    }

    /// <summary>A JPEG with further segments of kind APP1 behind its first two bytes, each behind its head.</summary>
    public static byte[] Jpeg(byte[] jpeg, params (string Head, byte[] Bytes)[] segments)
    {
        List<byte> file = [.. jpeg[..2]];
        foreach ((string head, byte[] bytes) in segments)
        {
            int length = 2 + head.Length + bytes.Length;
            file.AddRange([0xff, 0xe1, (byte)(length >> 8), (byte)length, .. Encoding.ASCII.GetBytes(head), .. bytes]);
        }
        file.AddRange(jpeg[2..]);
        return [.. file];
    }

    /// <summary>A JPEG with Exif in it.</summary>
    public static byte[] Jpeg(byte[] jpeg, byte[] exif) => Jpeg(jpeg, ("Exif\0\0", exif));

    /// <summary>A PNG with a further chunk behind its header, or before its end.</summary>
    public static byte[] Png(byte[] png, byte[] bytes, string kind = "eXIf", bool atEnd = false)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(kind), .. bytes];
        byte[] length = new byte[4];
        byte[] checksum = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
        BinaryPrimitives.WriteUInt32BigEndian(checksum, Pngs.Checksum(body));
        int at = atEnd ? png.Length - 12 : 33;
        return [.. png[..at], .. length, .. body, .. checksum, .. png[at..]];
    }

    /// <summary>A WebP in the extended form, with further chunks behind its pixels.</summary>
    /// <param name="webp">A WebP of the simple form.</param>
    /// <param name="width">Its width.</param>
    /// <param name="height">Its height.</param>
    /// <param name="flags">Which blocks the header says that there are: 8 Exif, 4 XMP.</param>
    /// <param name="chunks">Their kinds, of four letters, and bytes.</param>
    public static byte[] WebP(byte[] webp, int width, int height, int flags, params (string Kind, byte[] Bytes)[] chunks)
    {
        byte[] header = [(byte)flags, 0, 0, 0, (byte)(width - 1), (byte)((width - 1) >> 8), 0, (byte)(height - 1), (byte)((height - 1) >> 8), 0];
        List<byte> body = [.. "WEBP"u8, .. Chunk("VP8X", header), .. webp[12..]];
        foreach ((string kind, byte[] bytes) in chunks)
        {
            body.AddRange(Chunk(kind, bytes));
        }
        return Chunk("RIFF", [.. body]);
    }

    private static byte[] Chunk(string kind, byte[] bytes)
    {
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        return [.. Encoding.ASCII.GetBytes(kind), .. length, .. bytes, .. new byte[bytes.Length % 2]];
    }
}
