using System.Buffers.Binary;
using Dsd.Imaging;

namespace Dsd.Testing;

/// <summary>Pictures, whole and broken.</summary>
public static class Pngs
{
    /// <summary>A picture in which every pixel differs from its neighbours.</summary>
    public static Picture Noisy(int width, int height) =>
        new(width, height, [.. Enumerable.Range(0, 3 * width * height).Select(i => (byte)(i * 89 + i / 7 * 31))]);

    /// <summary>A whole small PNG but for its header, which claims another size, with the checksum that belongs to it.</summary>
    public static byte[] Claiming(int width, int height)
    {
        byte[] png = Noisy(1, 1).EncodePng();
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Checksum(png.AsSpan(12, 17)));
        return png;
    }

    /// <summary>The checksum that stands behind a chunk's kind and bytes.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xedb88320);
            }
        }
        return ~crc;
    }
}
