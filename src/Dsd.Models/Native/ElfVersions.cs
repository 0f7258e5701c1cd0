using System.Buffers.Binary;
using System.Text;

namespace Dsd.Models.Native;

/// <summary>The symbol versions that a 64-bit little-endian ELF library asks of others (section <c>.gnu.version_r</c>).</summary>
internal static class ElfVersions
{
    private const uint VersionNeeds = 0x6ffffffe; // SHT_GNU_verneed
    private const ushort Weak = 2; // VER_FLG_WEAK

    /// <summary>Marks every request for <paramref name="version"/> as weak, in place; false if there is none or this is no such library.</summary>
    public static bool Weaken(Span<byte> image, string version)
    {
        ReadOnlySpan<byte> magic = [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1];
        if (image.Length < 64 || !image.StartsWith(magic))
        {
            return false;
        }
        ReadOnlySpan<byte> name = Encoding.ASCII.GetBytes(version + '\0');
        int headers = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(image[0x28..]));
        int size = BinaryPrimitives.ReadUInt16LittleEndian(image[0x3a..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(image[0x3c..]);
        bool found = false;
        for (int i = 0; i < count; i++)
        {
            Span<byte> section = image[(headers + i * size)..];
            if (BinaryPrimitives.ReadUInt32LittleEndian(section[4..]) != VersionNeeds)
            {
                continue;
            }
            int need = (int)BinaryPrimitives.ReadUInt64LittleEndian(section[0x18..]);
            int link = (int)BinaryPrimitives.ReadUInt32LittleEndian(section[0x28..]);
            int strings = (int)BinaryPrimitives.ReadUInt64LittleEndian(image[(headers + link * size + 0x18)..]);
            while (true)
            {
                int requests = BinaryPrimitives.ReadUInt16LittleEndian(image[(need + 2)..]);
                int request = need + (int)BinaryPrimitives.ReadUInt32LittleEndian(image[(need + 8)..]);
                for (int r = 0; r < requests; r++)
                {
                    int text = strings + (int)BinaryPrimitives.ReadUInt32LittleEndian(image[(request + 8)..]);
                    if (image[text..].StartsWith(name))
                    {
                        ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(image[(request + 4)..]);
                        BinaryPrimitives.WriteUInt16LittleEndian(image[(request + 4)..], (ushort)(flags | Weak));
                        found = true;
                    }
                    request += (int)BinaryPrimitives.ReadUInt32LittleEndian(image[(request + 12)..]);
                }
                int next = (int)BinaryPrimitives.ReadUInt32LittleEndian(image[(need + 12)..]);
                if (next == 0)
                {
                    break;
                }
                need += next;
            }
        }
        return found;
    }
}
