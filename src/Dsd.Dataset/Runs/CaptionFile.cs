using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dsd.Dataset.Ledger;

namespace Dsd.Dataset.Runs;

/// <summary>Seed captions in a file: a line each as text, or as JSON objects with <c>caption</c> and perhaps <c>key</c> where the name ends in <c>.jsonl</c>.</summary>
public static class CaptionFile
{
    private const int MaxLine = 64 * 1024;
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    /// <summary>Reads captions one at a time. Empty lines are passed over; the same caption under the same key comes once, however often it stands there.</summary>
    /// <remarks>Remembers 16 bytes of each caption, nothing else. A caption without a key gets one that follows from its words; JSON objects may have other fields, which are not read.</remarks>
    /// <exception cref="InvalidDataException">A line is no caption, or two have one key; the message names file and line.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<SeedCaption> Read(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        bool json = file.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase);
        using StreamReader reader = new(file, new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: true);
        Dictionary<ulong, ulong> seen = [];
        int number = 0;
        foreach (string line in Lines(reader, file))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }
            SeedCaption caption;
            try
            {
                caption = json ? FromJson(line) : SeedCaption.Of(line);
            }
            catch (Exception e) when (e is ArgumentException or JsonException or FormatException)
            {
                throw new InvalidDataException($"Captions '{file}', line {number}: {e.Message}", e);
            }
            (ulong key, ulong words) = (Hash(caption.Key), Hash(caption.Caption));
            if (seen.TryAdd(key, words))
            {
                yield return caption;
            }
            else if (seen[key] != words)
            {
                throw new InvalidDataException($"Captions '{file}', line {number}: the key '{caption.Key}' stands before another caption already. Give each caption a key of its own, or none.");
            }
        }
    }

    private static SeedCaption FromJson(string line)
    {
        using JsonDocument document = JsonDocument.Parse(line, Strict);
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("caption", out JsonElement words) || words.ValueKind != JsonValueKind.String)
        {
            throw new FormatException("expected an object with the text 'caption'.");
        }
        if (!document.RootElement.TryGetProperty("key", out JsonElement key))
        {
            return SeedCaption.Of(words.GetString()!);
        }
        return key.ValueKind == JsonValueKind.String ? new SeedCaption(key.GetString()!, words.GetString()!) : throw new FormatException($"the field 'key' should be a text, but is {key.ValueKind}.");
    }

    // StreamReader.ReadLine would take a file without line ends into memory whole.
    private static IEnumerable<string> Lines(StreamReader reader, string file)
    {
        StringBuilder line = new();
        int number = 1;
        while (Next(reader, file, number) is var c && c >= 0)
        {
            if (c == '\n')
            {
                yield return line.ToString();
                line.Clear();
                number++;
            }
            else if (line.Length < MaxLine)
            {
                line.Append((char)c);
            }
            else
            {
                throw new InvalidDataException($"Captions '{file}', line {number}: expected at most {MaxLine} characters, found more.");
            }
        }
        yield return line.ToString();
    }

    private static int Next(StreamReader reader, string file, int number)
    {
        try
        {
            return reader.Read();
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"Captions '{file}', line {number}: expected UTF-8 text, found other bytes.", e);
        }
    }

    private static ulong Hash(string text) => BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
