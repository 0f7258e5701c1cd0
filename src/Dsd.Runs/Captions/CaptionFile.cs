using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dsd.Runs.Ledger;

namespace Dsd.Runs.Captions;

/// <summary>Seed captions in a file: a line each as text, or JSON or a table with <c>caption</c> and perhaps <c>key</c>.</summary>
/// <remarks>
/// The name says which: <c>.jsonl</c> (also <c>.ndjson</c>) holds an object a line; <c>.json</c> the same, or one array of texts or
/// objects; <c>.csv</c> a table as RFC 4180 writes it, with a line of column names; <c>.tsv</c> that with tabs. Other names are text, but
/// for those of files of another kind, which are refused, as is a text that begins as JSON, a table, YAML or HTML. The encoding is UTF-8,
/// or UTF-16 with a byte-order mark.
/// </remarks>
public static class CaptionFile
{
    private const int MaxLine = 64 * 1024;
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    /// <summary>
    /// Reads captions one at a time. Empty lines are passed over; the same caption under the same key comes once, however often it stands
    /// there.
    /// </summary>
    /// <remarks>
    /// Remembers 16 bytes of each caption, nothing else. A caption without a key gets one that follows from its words; objects and tables
    /// may have other fields and columns, which are not read.
    /// </remarks>
    /// <exception cref="InvalidDataException">
    /// The file is of another kind, a line is no caption, or two have one key; the message names file and line.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<SeedCaption> Read(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        string kind = CaptionKind.Of(file);
        using CaptionText text = new(file);
        CaptionKind.Check(text, kind);
        Dictionary<ulong, ulong> seen = [];
        foreach ((int line, Func<SeedCaption> read) in kind is ".csv" or ".tsv" ? Table(text, kind == ".csv" ? ',' : '\t') : Items(text, kind))
        {
            SeedCaption caption;
            try
            {
                caption = read();
                if (caption.Caption.Any(c => char.IsControl(c) && c is not ('\t' or '\n' or '\r')))
                {
                    throw new FormatException("expected a caption without control characters, found some.");
                }
            }
            catch (Exception e) when (e is ArgumentException or JsonException or FormatException or InvalidOperationException)
            {
                // The framework appends the parameter's name.
                string message = e.Message.IndexOf(" (Parameter '", StringComparison.Ordinal) is > 0 and var tail ? e.Message[..tail] : e.Message;
                throw new InvalidDataException($"Captions '{file}', line {line}: {message}", e);
            }
            (ulong key, ulong content) = (Hash(caption.Key), Hash(caption.Caption));
            if (seen.TryAdd(key, content))
            {
                yield return caption;
            }
            else if (seen[key] != content)
            {
                throw new InvalidDataException(
                    $"Captions '{file}', line {line}: the key '{caption.Key}' stands before another caption already. "
                    + "Give each caption a key of its own, or none.");
            }
        }
    }

    /// <summary>The captions of a file without columns.</summary>
    private static IEnumerable<(int Line, Func<SeedCaption> Read)> Items(CaptionText text, string kind)
    {
        if (kind == ".json")
        {
            CaptionJson.SkipSpace(text);
            if (text.Peek() == '[')
            {
                return CaptionJson.Elements(text, MaxLine).Select(e => (e.Line, new Func<SeedCaption>(() => FromJson(e.Json, mayBeText: true))));
            }
        }
        return Lines(text).Where(l => !string.IsNullOrWhiteSpace(l.Text)).Select(l => (l.Line, new Func<SeedCaption>(() => kind switch
        {
            CaptionKind.Text => FromLine(l.Text),
            ".json" when !l.Text.TrimStart().StartsWith('{') || !l.Text.TrimEnd().EndsWith('}') =>
                throw new FormatException("expected an array of captions, or an object with the text 'caption' in each line."),
            _ => FromJson(l.Text, mayBeText: false),
        })));
    }

    /// <summary>The captions of a table.</summary>
    private static IEnumerable<(int Line, Func<SeedCaption> Read)> Table(CaptionText text, char separator)
    {
        (int? caption, int? key, int columns) = (null, null, 0);
        foreach ((int line, string[] fields) in CaptionCsv.Rows(text, separator, MaxLine))
        {
            if (caption is null)
            {
                (caption, key, columns) = (Column(fields, "caption"), Column(fields, "key"), fields.Length);
                if (caption is null)
                {
                    throw text.Fault(
                        "a column 'caption'", $"the columns {string.Join(", ", fields.Take(20).Select(f => $"'{(f.Length > 50 ? f[..50] : f)}'"))}", line);
                }
            }
            else
            {
                yield return (line, () => fields.Length == columns
                    ? key is { } k ? new SeedCaption(fields[k], fields[caption.Value]) : SeedCaption.Of(fields[caption.Value])
                    : throw new FormatException($"expected {columns} fields, as the first line has, found {fields.Length}."));
            }
        }

        int? Column(string[] names, string name) => names.Count(n => n == name) switch
        {
            0 => null,
            1 => Array.IndexOf(names, name),
            _ => throw text.Fault($"one column '{name}'", "several", 1),
        };
    }

    private static SeedCaption FromLine(string line) => line.AsSpan().Trim().Contains('\t')
        ? throw new FormatException("expected a caption, found a tab in it. If these are columns, name them in the first line and the file .tsv.")
        : SeedCaption.Of(line);

    private static SeedCaption FromJson(string json, bool mayBeText)
    {
        using JsonDocument document = JsonDocument.Parse(json, Strict);
        if (mayBeText && document.RootElement.ValueKind == JsonValueKind.String)
        {
            return SeedCaption.Of(document.RootElement.GetString()!);
        }
        if (document.RootElement.ValueKind != JsonValueKind.Object
            || !document.RootElement.TryGetProperty("caption", out JsonElement caption)
            || caption.ValueKind != JsonValueKind.String)
        {
            throw new FormatException($"expected {(mayBeText ? "a text, or " : "")}an object with the text 'caption'.");
        }
        if (!document.RootElement.TryGetProperty("key", out JsonElement key))
        {
            return SeedCaption.Of(caption.GetString()!);
        }
        return key.ValueKind == JsonValueKind.String
            ? new SeedCaption(key.GetString()!, caption.GetString()!)
            : throw new FormatException($"the field 'key' should be a text, but is {key.ValueKind}.");
    }

    // A file without line ends must not be taken into memory whole.
    private static IEnumerable<(int Line, string Text)> Lines(CaptionText text)
    {
        StringBuilder line = new();
        int number = text.Line;
        while (text.Next() is var c && c >= 0)
        {
            if (c == '\n')
            {
                yield return (number, line.ToString());
                line.Clear();
                number = text.Line;
            }
            else if (line.Length < MaxLine)
            {
                line.Append((char)c);
            }
            else
            {
                throw text.Fault($"at most {MaxLine} characters", "more");
            }
        }
        yield return (number, line.ToString());
    }

    private static ulong Hash(string text) => BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
