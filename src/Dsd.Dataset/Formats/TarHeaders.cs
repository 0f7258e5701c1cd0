using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Dsd.Dataset.Formats;

/// <summary>
/// Looks at a tar's headers before the library reads them, which takes memory by what they claim, passes over what it does not know, and
/// tells of faults by whatever exception it met.
/// </summary>
internal static class TarHeaders
{
    private const int Block = 512;

    // Names and further attributes of a member, which the library holds in memory.
    private const int MostAttributes = 1024 * 1024;

    /// <summary>Checks the member whose headers begin at a place.</summary>
    /// <exception cref="DatasetException">It claims more than there is, or is of a kind that is not read; the message names file and member.</exception>
    public static void Check(SafeFileHandle handle, long at, string file)
    {
        byte[] header = new byte[Block];
        long length = RandomAccess.GetLength(handle);
        while (length - at >= Block)
        {
            RandomAccess.Read(handle, header, at);
            char kind = (char)header[156];
            // What has the letters of a tar's header has a name to be called by.
            bool isHeader = header.AsSpan(257).StartsWith("ustar"u8);
            bool isSummed = IsSummed(header);
            string place = isHeader || isSummed ? $"'{file}', member '{Name(header)}'" : Place(file, at);
            // Empty blocks end a tar.
            if (header.AsSpan().IndexOfAnyExcept((byte)0) < 0)
            {
                return;
            }
            if (Number(header.AsSpan(124, 12)) is not { } size || (!isHeader && !isSummed))
            {
                throw new DatasetException(place, "a tar", "a file that is damaged or no tar");
            }
            if (size < 0 || size > length - at - Block)
            {
                throw new DatasetException(
                    place, $"at most {length - at - Block} bytes, as the file has behind its header", $"{size}: it is damaged or cut off");
            }
            if (!isSummed)
            {
                throw new DatasetException(place, "a header with its checksum", "another: it is damaged");
            }
            if (kind == 'S')
            {
                throw Sparse(place);
            }
            if (kind is not ('x' or 'g' or 'L' or 'K'))
            {
                return;
            }
            if (size > MostAttributes)
            {
                throw new DatasetException(place, $"at most {MostAttributes} bytes of attributes", $"{size}");
            }
            at += Block + (size + Block - 1) / Block * Block;
        }
    }

    /// <summary>A place in a tar, for messages.</summary>
    public static string Place(string file, long at) => at == 0 ? $"'{file}'" : $"'{file}', byte {at}";

    /// <summary>What is thrown where a member leaves out its zeros.</summary>
    public static DatasetException Sparse(string place) =>
        new(place, "a file as it is", "a sparse one, which leaves out its zeros. Write the tar without '--sparse'");

    // The sum of all bytes, its own place taken as blanks; some old programs took bytes as signed.
    private static bool IsSummed(ReadOnlySpan<byte> header)
    {
        (long unsigned, long signed) = (8 * ' ', 8 * ' ');
        for (int i = 0; i < Block; i++)
        {
            (unsigned, signed) = i is >= 148 and < 156 ? (unsigned, signed) : (unsigned + header[i], signed + (sbyte)header[i]);
        }
        return Number(header.Slice(148, 8)) is { } sum && (sum == unsigned || sum == signed);
    }

    private static string Name(ReadOnlySpan<byte> header)
    {
        ReadOnlySpan<byte> name = header[..100];
        int end = name.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? name : name[..end]);
    }

    /// <summary>A number as octal digits, or where the first bit is set in binary, as GNU tar writes what is too large; null where it is neither.</summary>
    private static long? Number(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
        {
            long value = (field[0] & 0x40) != 0 ? -1 : field[0] & 0x3f;
            foreach (byte b in field[1..])
            {
                if (value is > long.MaxValue >> 8 or < long.MinValue >> 8)
                {
                    return value < 0 ? long.MinValue : long.MaxValue;
                }
                value = (value << 8) | b;
            }
            return value;
        }
        ReadOnlySpan<byte> digits = field.Trim(" \0"u8);
        long number = 0;
        foreach (byte digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                return null;
            }
            number = number * 8 + digit - '0';
        }
        return number;
    }
}
