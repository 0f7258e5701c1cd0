using System.Text;
using System.Text.Unicode;

namespace Dsd.Dataset.Formats;

/// <summary>
/// The one door for text of a dataset: UTF-8, with or without a byte-order mark. Other bytes are refused, since a replacement sign would
/// end up in a caption.
/// </summary>
internal static class StrictText
{
    /// <summary>Bytes that a mark takes at most.</summary>
    public const int MostMark = 3;

    /// <summary>How many bytes the byte-order mark at the beginning of a text takes; 0 where there is none.</summary>
    /// <exception cref="DatasetException">The mark says that the text is not UTF-8.</exception>
    public static int Mark(ReadOnlySpan<byte> start, string place)
    {
        if (start.StartsWith((ReadOnlySpan<byte>)[0xff, 0xfe]) || start.StartsWith((ReadOnlySpan<byte>)[0xfe, 0xff]))
        {
            throw new DatasetException(place, "text in UTF-8", "UTF-16, by its first two bytes. Save it as UTF-8");
        }
        return start.StartsWith((ReadOnlySpan<byte>)[0xef, 0xbb, 0xbf]) ? 3 : 0;
    }

    /// <summary>The text without its mark.</summary>
    /// <exception cref="DatasetException">It is not UTF-8.</exception>
    public static ReadOnlyMemory<byte> Checked(ReadOnlyMemory<byte> text, string place)
    {
        ReadOnlyMemory<byte> unmarked = text[Mark(text.Span, place)..];
        return Utf8.IsValid(unmarked.Span) ? unmarked : throw NotUtf8(unmarked.Span, place);
    }

    /// <summary>Reads a text.</summary>
    /// <exception cref="DatasetException">It is not UTF-8.</exception>
    public static string Decode(ReadOnlySpan<byte> text, string place) => Utf8.IsValid(text) ? Encoding.UTF8.GetString(text) : throw NotUtf8(text, place);

    private static DatasetException NotUtf8(ReadOnlySpan<byte> text, string place)
    {
        int at = 0;
        while (Rune.DecodeFromUtf8(text[at..], out _, out int length) == System.Buffers.OperationStatus.Done)
        {
            at += length;
        }
        return new DatasetException(place, "text in UTF-8", $"byte 0x{text[at]:x2} at {at}, which cannot stand there. Save it as UTF-8");
    }
}
