using System.Text;
using System.Text.Json;

namespace Dsd.Models.Text;

/// <summary>The <c>normalizer</c> of a tokenizer.json as a function: the steps that CLIP's and T5's have, and a refusal of others.</summary>
internal static class TextSteps
{
    private const int Deepest = 4;

    /// <summary>Reads a normaliser; null means none.</summary>
    public static Func<string, string> Parse(string file, JsonElement normalizer)
    {
        Func<string, string>[] steps = [.. Steps(file, normalizer, 0)];
        return text => steps.Aggregate(text, (current, step) => step(current));
    }

    /// <summary>Lower case by single characters, as Unicode's simple mapping has it but for the one character whose lower case is two.</summary>
    public static string Lower(string text)
    {
        StringBuilder lower = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune.Value == 'İ')
            {
                lower.Append("i\u0307");
            }
            else
            {
                lower.Append(Rune.ToLowerInvariant(rune));
            }
        }
        return lower.ToString();
    }

    /// <summary>Each stretch of white space becomes the content.</summary>
    public static string Spaces(string text, string content)
    {
        StringBuilder replaced = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsWhiteSpace(text[i]))
            {
                replaced.Append(text[i]);
            }
            else if (i == 0 || !char.IsWhiteSpace(text[i - 1]))
            {
                replaced.Append(content);
            }
        }
        return replaced.ToString();
    }

    private static IEnumerable<Func<string, string>> Steps(string file, JsonElement normalizer, int depth)
    {
        if (normalizer.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return [];
        }
        string type = TokenizerJson.Type(file, "normalizer", normalizer);
        switch (type)
        {
            case "Sequence" when depth < Deepest:
                return TokenizerJson.List(file, "normalizers", normalizer).SelectMany(n => Steps(file, n, depth + 1)).ToArray();
            case "NFC":
                return [CanonicalComposition.Compose];
            case "Lowercase":
                return [Lower];
            case "Strip":
                bool left = TokenizerJson.Flag(file, "strip_left", normalizer, true);
                bool right = TokenizerJson.Flag(file, "strip_right", normalizer, true);
                return [text => left && right ? text.Trim() : left ? text.TrimStart() : right ? text.TrimEnd() : text];
            case "Precompiled":
                return [new T5Normalizer(file, CharacterMap(file, normalizer)).Normalize];
            case "Replace":
                return [Replacing(file, normalizer)];
            default:
                throw TokenizerJson.Unknown(file, "a normalizer of NFC, Lowercase, Strip, Replace, Precompiled or a Sequence of them", normalizer);
        }
    }

    private static Func<string, string> Replacing(string file, JsonElement step)
    {
        string content = TokenizerJson.Text(file, "content", step);
        (string kind, string pattern) = TokenizerJson.Pattern(file, step);
        return (kind, pattern) switch
        {
            ("String", { Length: > 0 }) => text => text.Replace(pattern, content, StringComparison.Ordinal),
            ("Regex", @"\s+") => text => Spaces(text, content),
            ("Regex", " {2,}") => text => SeveralBlanks(text, content),
            _ => throw TokenizerJson.Unknown(file, @"a Replace of plain text, or by the regular expression '\s+' or ' {2,}'", step),
        };
    }

    private static string SeveralBlanks(string text, string content)
    {
        StringBuilder replaced = new(text.Length);
        for (int i = 0; i < text.Length;)
        {
            int end = i;
            while (end < text.Length && text[end] == ' ')
            {
                end++;
            }
            replaced.Append(end - i > 1 ? content : text[i].ToString());
            i = Math.Max(end, i + 1);
        }
        return replaced.ToString();
    }

    private static byte[] CharacterMap(string file, JsonElement step) =>
        step.TryGetProperty("precompiled_charsmap", out JsonElement map)
            && map.ValueKind == JsonValueKind.String
            && map.TryGetBytesFromBase64(out byte[]? bytes)
            ? bytes
            : throw TokenizerJson.Unknown(file, "a Precompiled normalizer with 'precompiled_charsmap' in base 64", step);
}
