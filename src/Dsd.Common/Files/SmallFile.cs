using System.Text;

namespace Dsd.Common.Files;

/// <summary>
/// Reads files that are taken into memory whole, such as configs. Their size is bounded, another kind of file is named, and text must be valid.
/// </summary>
public static class SmallFile
{
    /// <summary>Makes the caller's own exception.</summary>
    /// <param name="expected">What was expected.</param>
    /// <param name="found">What was found.</param>
    /// <returns>The exception that is thrown.</returns>
    public delegate Exception Refusal(string expected, string found);

    /// <summary>A file's bytes as they are.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">The most bytes that are taken.</param>
    /// <param name="refuse">Makes the exception for a file that is too large or of another kind.</param>
    /// <returns>The bytes.</returns>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static byte[] Bytes(string path, long most, Refusal refuse)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(refuse);
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            if (stream.Length > most)
            {
                throw refuse($"at most {most} bytes", $"{stream.Length}");
            }
            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return FileKind.OtherThanText(bytes.AsSpan(0, Math.Min(bytes.Length, FileKind.StartLength))) is { } other
                ? throw refuse("what its name promises", other)
                : bytes;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"Cannot read '{path}': it is a folder, or its permissions forbid it ({e.Message.TrimEnd('.')}).", e);
        }
    }

    /// <summary>A file's text as UTF-8 without a byte-order mark. UTF-16 and UTF-32 with a mark are converted.</summary>
    /// <inheritdoc cref="Bytes"/>
    public static ReadOnlyMemory<byte> Utf8(string path, long most, Refusal refuse) => Utf8(Bytes(path, most, refuse), refuse);

    /// <summary>A file's text, without its byte-order mark.</summary>
    /// <inheritdoc cref="Bytes"/>
    public static string Text(string path, long most, Refusal refuse) => Encoding.UTF8.GetString(Utf8(path, most, refuse).Span);

    /// <summary>Text as UTF-8 without a byte-order mark. UTF-16 and UTF-32 with a mark are converted.</summary>
    /// <param name="content">The bytes.</param>
    /// <param name="refuse">Makes the exception for bytes that are no text.</param>
    /// <returns>The text.</returns>
    public static ReadOnlyMemory<byte> Utf8(byte[] content, Refusal refuse)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(refuse);
        // UTF-32 before UTF-16, whose mark its own begins with.
        Encoding? wide = content is [0xff, 0xfe, 0, 0, ..] ? new UTF32Encoding(bigEndian: false, byteOrderMark: true, throwOnInvalidCharacters: true)
            : content is [0, 0, 0xfe, 0xff, ..] ? new UTF32Encoding(bigEndian: true, byteOrderMark: true, throwOnInvalidCharacters: true)
            : content is [0xff, 0xfe, ..] ? new UnicodeEncoding(bigEndian: false, byteOrderMark: true, throwOnInvalidBytes: true)
            : content is [0xfe, 0xff, ..] ? new UnicodeEncoding(bigEndian: true, byteOrderMark: true, throwOnInvalidBytes: true)
            : null;
        if (wide is not null)
        {
            try
            {
                return Encoding.UTF8.GetBytes(wide.GetString(content.AsSpan(wide.Preamble.Length)));
            }
            catch (DecoderFallbackException e)
            {
                int at = wide.Preamble.Length + Math.Max(0, e.Index);
                throw refuse($"text in {wide.EncodingName}, as its byte-order mark says", $"bytes that are none, at {at}");
            }
        }
        ReadOnlyMemory<byte> text = content is [0xef, 0xbb, 0xbf, ..] ? content.AsMemory(3) : content;
        return Utf8Fault(text.Span) is { } fault ? throw refuse("text in UTF-8", fault) : text;
    }

    /// <summary>The first byte that is no UTF-8, with its line; null where there is none.</summary>
    private static string? Utf8Fault(ReadOnlySpan<byte> text)
    {
        if (System.Text.Unicode.Utf8.IsValid(text))
        {
            return null;
        }
        int at = 0;
        while (Rune.DecodeFromUtf8(text[at..], out _, out int length) == System.Buffers.OperationStatus.Done)
        {
            at += length;
        }
        return $"byte 0x{text[at]:x2} in line {1 + text[..at].Count((byte)'\n')}, which is none. Save the file as UTF-8";
    }
}
