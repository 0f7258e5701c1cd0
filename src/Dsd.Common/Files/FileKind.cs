using System.Text;
using System.Text.Json;

namespace Dsd.Common.Files;

/// <summary>
/// Says what a file is by its first bytes. For readers of another kind of file that have to say what they were given:
/// the words fit behind "found", and name the kind and what to do.
/// </summary>
public static class FileKind
{
    /// <summary>How many bytes of a file's beginning are looked at.</summary>
    public const int StartLength = 1024;

    private const int Quoted = 120;

    /// <summary>The oldest sign of a file of PyTorch: a pickle of a number that means nothing else.</summary>
    private static readonly byte[] TorchNumber = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

    private static readonly string[] AnswerFields = ["error", "detail", "message"];

    private static readonly (byte[] Sign, int At, string What)[] Signs =
    [
        .. Starting("GGUF"u8, "a GGUF file of llama.cpp or ComfyUI, whose quantised weights are not read here: take the model's safetensors file"),
        .. Starting("lmgg"u8, "a GGML file of llama.cpp, whose quantised weights are not read here: take the model's safetensors file"),
        .. Starting("tjgg"u8, "a GGML file of llama.cpp, whose quantised weights are not read here: take the model's safetensors file"),
        .. Starting([0x1f, 0x8b], "a gzip archive: unpack it first"),
        .. Starting([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "an xz archive: unpack it first"),
        .. Starting([0x28, 0xb5, 0x2f, 0xfd], "a Zstandard archive: unpack it first"),
        .. Starting([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "a 7z archive: unpack it first"),
        .. Starting([.. "Rar!"u8, 0x1a], "a RAR archive: unpack it first"),
        .. Starting([0x89, .. "HDF"u8], "an HDF5 file, as Keras writes it: take the model's safetensors file"),
        .. Starting([0x93, .. "NUMPY"u8], "an array of NumPy (.npy)"),
        .. Starting([0x89, .. "PNG\r\n"u8], "a PNG picture"),
        .. Starting([0xff, 0xd8, 0xff], "a JPEG picture"),
        .. Starting("GIF8"u8, "a GIF picture"),
        .. Starting("II*\0"u8, "a TIFF picture: convert it to PNG"),
        .. Starting("MM\0*"u8, "a TIFF picture: convert it to PNG"),
        .. Starting("8BPS"u8, "a picture of Photoshop: convert it to PNG"),
        .. Starting("%PDF"u8, "a PDF document"),
        .. Starting("SQLite format 3\0"u8, "an SQLite database"),
        .. Starting("PAR1"u8, "a Parquet file"),
        .. Starting("ARROW1"u8, "an Arrow file"),
        .. Starting([0x7f, .. "ELF"u8], "a program of Linux"),
        ("1AY&SY"u8.ToArray(), 4, "a bzip2 archive: unpack it first"),
        ("ustar"u8.ToArray(), 257, "a tar archive"),
        ("WEBP"u8.ToArray(), 8, "a WebP picture"),
        ("ftypheic"u8.ToArray(), 4, "a HEIC picture: convert it to JPEG or PNG"),
        ("ftypheix"u8.ToArray(), 4, "a HEIC picture: convert it to JPEG or PNG"),
        ("ftypmif1"u8.ToArray(), 4, "a HEIF picture: convert it to JPEG or PNG"),
        ("ftypavif"u8.ToArray(), 4, "an AVIF picture: convert it to JPEG or PNG"),
        ("ftyp"u8.ToArray(), 4, "a film (MP4 or QuickTime)"),
    ];

    /// <summary>What a file is that should hold text, such as JSON, and does not.</summary>
    /// <param name="start">The file's beginning: <see cref="StartLength"/> bytes, or all if it has fewer.</param>
    /// <returns>The kind; null where the file may well be text.</returns>
    public static string? OtherThanText(ReadOnlySpan<byte> start)
    {
        if (start.IsEmpty)
        {
            return "an empty file: fetch or write it again";
        }
        if (start.IndexOfAnyExcept((byte)0) < 0)
        {
            return "bytes of zero alone: a download or copy that was not finished. Fetch the file again";
        }
        if (start.StartsWith("version https://git-lfs.github.com/"u8))
        {
            return "a Git LFS pointer: the file itself was not fetched. Fetch it with 'git lfs pull'";
        }
        if (start.StartsWith("PK"u8) && start.Length > 3 && (start[2], start[3]) is (3, 4) or (5, 6) or (7, 8))
        {
            return start.IndexOf("data.pkl"u8) >= 0 || start.IndexOf(".data/pkl"u8) >= 0 ? Pickle("zipped")
                : start.IndexOf(".npy"u8) >= 0 ? "an archive of NumPy (.npz)"
                : "a zip archive: unpack it first";
        }
        if (start.Length > 2 && start[0] == 0x80 && start[1] is >= 2 and <= 5)
        {
            return Pickle(start[2..].StartsWith(TorchNumber) ? "of the old form" : "of Python");
        }
        foreach ((byte[] sign, int at, string what) in Signs)
        {
            if (start.Length >= at + sign.Length && start.Slice(at, sign.Length).SequenceEqual(sign))
            {
                return what;
            }
        }
        if (IsSafetensors(start))
        {
            return "a safetensors file";
        }
        return Page(start);
    }

    /// <summary>What a file is that should hold bytes, such as weights or a picture.</summary>
    /// <param name="start">The file's beginning: <see cref="StartLength"/> bytes, or all if it has fewer.</param>
    /// <returns>The kind; null where it is not known.</returns>
    public static string? Of(ReadOnlySpan<byte> start)
    {
        if (OtherThanText(start) is { } known)
        {
            return known;
        }
        string? text = TextOf(start);
        return text is null ? null
            : ServerAnswer(start) is { } answer ? answer
            : text.TrimStart() is ['{' or '[', ..] ? $"text in JSON: {Quote(text)}"
            : $"plain text: {Quote(text)}";
    }

    /// <summary>What a file is that should be a picture and cannot be decoded.</summary>
    /// <param name="encoded">All of its bytes.</param>
    /// <returns>The kind.</returns>
    public static string OtherThanPicture(ReadOnlySpan<byte> encoded)
    {
        string? known = Of(encoded[..Math.Min(encoded.Length, StartLength)]);
        string size = $"{encoded.Length} bytes";
        return known is null ? $"{size} that none of these decoders recognises"
            : known.EndsWith(" picture", StringComparison.Ordinal) ? $"{known} of {size} that is damaged or cut off"
            : known;
    }

    /// <summary>A short JSON object that is about an error: what a server answers in place of a file.</summary>
    /// <param name="content">All of the file's bytes.</param>
    /// <returns>What it says; null for anything else.</returns>
    public static string? ServerAnswer(ReadOnlySpan<byte> content)
    {
        if (content.Length >= StartLength)
        {
            return null;
        }
        try
        {
            Utf8JsonReader reader = new(content);
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.EnumerateObject().FirstOrDefault() is { Value.ValueKind: not JsonValueKind.Undefined } first
                && AnswerFields.Contains(first.Name, StringComparer.OrdinalIgnoreCase)
                ? $"the answer of a server in place of the file: {Quote(document.RootElement.GetRawText())}. "
                    + "Check its address and your access to it, and fetch it again"
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Reads the beginning of a file: <see cref="StartLength"/> bytes, or all if it has fewer.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The bytes, none for an empty file.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static byte[] Start(string path)
    {
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            byte[] start = new byte[StartLength];
            return start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"Cannot read '{path}': it is a folder, or its permissions forbid it ({e.Message.TrimEnd('.')}).", e);
        }
    }

    private static string Pickle(string form) =>
        $"a pickle {form} (.pt, .bin, .ckpt), which can run programs and is never opened here: take the model's safetensors file, or convert it";

    private static bool IsSafetensors(ReadOnlySpan<byte> start) =>
        start.Length > 9 && start[8] == '{' && start[9] is (byte)'"' or (byte)'}' && start[4..8].IndexOfAnyExcept((byte)0) < 0;

    private static string? Page(ReadOnlySpan<byte> start)
    {
        string text = Encoding.Latin1.GetString(start.StartsWith("\ufeff"u8) ? start[3..] : start).TrimStart();
        return text.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
                ? "an HTML page in place of the file: a page of a web site was saved, or a sign-in is asked for. Fetch the file itself"
            : text.StartsWith("<svg", StringComparison.OrdinalIgnoreCase) ? "an SVG drawing: convert it to PNG"
            : text.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<Error>", StringComparison.Ordinal)
                ? $"text in XML, often the answer of a server in place of the file: {Quote(text)}"
            : null;
    }

    /// <summary>The beginning as text, if it is all text.</summary>
    private static string? TextOf(ReadOnlySpan<byte> start)
    {
        // The last character may be cut.
        int end = start.Length;
        while (end > 0 && start.Length - end < 3 && start.Length == StartLength && start[end - 1] >= 0x80)
        {
            end--;
        }
        if (!System.Text.Unicode.Utf8.IsValid(start[..end]))
        {
            return null;
        }
        string text = Encoding.UTF8.GetString(start[..end]);
        return text.Any(c => char.IsControl(c) && !char.IsWhiteSpace(c)) ? null : text;
    }

    private static string Quote(string text)
    {
        string line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        line = string.Concat(line.Select(c => char.IsControl(c) ? '.' : c));
        return line.Length <= Quoted ? $"'{line}'" : $"'{line[..Quoted]}…'";
    }

    private static (byte[] Sign, int At, string What)[] Starting(ReadOnlySpan<byte> sign, string what) => [(sign.ToArray(), 0, what)];
}
