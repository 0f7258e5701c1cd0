using System.Text;
using System.Text.Json;

namespace Dsd.Curation;

/// <summary>Reads a chat model's answer that should be one JSON object. The answer is untrusted: nothing in it is guessed or repaired.</summary>
public static class AnswerJson
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8, AllowDuplicateProperties = false };

    /// <summary>The object of an answer, which may stand in a code fence.</summary>
    /// <param name="answer">The answer, without the model's thinking.</param>
    /// <param name="maxLength">The most characters (code points) that it may have.</param>
    /// <exception cref="FormatException">The answer is empty, too long, or anything but one JSON object.</exception>
    public static JsonDocument Parse(string? answer, int maxLength)
    {
        // No character takes more than two places, so what is longer is not counted.
        if (answer is { Length: var length } && length > maxLength && (length > 2 * maxLength || Count(answer) > maxLength))
        {
            throw new FormatException($"expected at most {maxLength} characters, found {(length > 2 * maxLength ? "far more" : Count(answer))}.");
        }
        ReadOnlyMemory<char> text = Unfenced(answer.AsMemory().Trim());
        if (text.IsEmpty)
        {
            throw new FormatException("expected a JSON object, found an empty answer.");
        }
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(text, Strict);
        }
        catch (JsonException e)
        {
            throw new FormatException($"expected one whole JSON object and nothing else, found '{Excerpt(text.Span)}' ({e.Message})", e);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new FormatException($"expected a JSON object of whole characters, found half a surrogate pair in '{Excerpt(text.Span)}'.", e);
        }
        if (document.RootElement.ValueKind == JsonValueKind.Object)
        {
            return document;
        }
        JsonValueKind kind = document.RootElement.ValueKind;
        document.Dispose();
        throw new FormatException($"expected a JSON object, found {kind}.");
    }

    /// <summary>Refuses objects that lack a field or have one too many.</summary>
    /// <param name="element">The value that should be such an object.</param>
    /// <param name="where">What it is called in a message.</param>
    /// <param name="names">The fields that it must have, and no other.</param>
    /// <exception cref="FormatException">It is none; the message names the field.</exception>
    public static void Fields(JsonElement element, string where, params ReadOnlySpan<string> names)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"{where}: expected an object, found {element.ValueKind}.");
        }
        HashSet<string> found = Names(element, where);
        foreach (string name in names)
        {
            if (!found.Contains(name))
            {
                throw new FormatException($"{where}: the field '{name}' is missing.");
            }
        }
        foreach (string name in found)
        {
            if (!names.Contains(name))
            {
                throw new FormatException($"{where}: the field '{Excerpt(name)}' is not known; expected only {string.Join(", ", names.ToArray())}.");
            }
        }
    }

    /// <summary>A field's text without white space around it: 1 to so many characters (code points).</summary>
    /// <exception cref="FormatException">It is no such text.</exception>
    public static string Text(JsonElement parent, string name, int maxLength) => Value(parent.GetProperty(name), $"field '{name}'", maxLength);

    /// <summary>A field's whole number between two bounds, which belong to the range.</summary>
    /// <exception cref="FormatException">It is no such number: a text, a fraction, or out of range.</exception>
    public static int Whole(JsonElement parent, string name, int least, int most)
    {
        JsonElement value = parent.GetProperty(name);
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= least && number <= most
            ? number
            : throw new FormatException($"field '{name}': expected a whole number from {least} to {most}, found {Excerpt(value.GetRawText())}.");
    }

    /// <summary>A field's list of at most so many texts, each of 1 to so many characters (code points).</summary>
    /// <exception cref="FormatException">It is no such list.</exception>
    public static IReadOnlyList<string> Texts(JsonElement parent, string name, int maxCount, int maxLength)
    {
        JsonElement list = parent.GetProperty(name);
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > maxCount)
        {
            throw new FormatException(
                $"field '{name}': expected a list of at most {maxCount} texts, found "
                + $"{(list.ValueKind == JsonValueKind.Array ? $"{list.GetArrayLength()} entries" : list.ValueKind)}.");
        }
        return [.. list.EnumerateArray().Select((entry, i) => Value(entry, $"field '{name}[{i}]'", maxLength))];
    }

    /// <summary>The beginning of a text for a message.</summary>
    public static string Excerpt(ReadOnlySpan<char> text, int length = 80) => text.Length <= length ? Beginning(text, length) : $"{Beginning(text, length)}…";

    /// <summary>At most so many UTF-16 units of a text, in whole characters: half a surrogate pair becomes the replacement sign, and none is made.</summary>
    public static string Beginning(ReadOnlySpan<char> text, int length)
    {
        bool splits = text.Length > length && length > 0 && char.IsHighSurrogate(text[length - 1]) && char.IsLowSurrogate(text[length]);
        StringBuilder beginning = new();
        foreach (Rune rune in text[..Math.Min(text.Length, splits ? length - 1 : length)].EnumerateRunes())
        {
            beginning.Append(rune);
        }
        return beginning.ToString();
    }

    /// <summary>The characters of a text as JSON schemas count them, which is Unicode's code points.</summary>
    private static int Count(ReadOnlySpan<char> text)
    {
        int count = 0;
        foreach (Rune _ in text.EnumerateRunes())
        {
            count++;
        }
        return count;
    }

    private static HashSet<string> Names(JsonElement element, string where)
    {
        try
        {
            return [.. element.EnumerateObject().Select(p => p.Name)];
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException($"{where}: expected fields with names of whole characters, found half a surrogate pair.", e);
        }
    }

    private static string Value(JsonElement value, string where, int maxLength)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            throw new FormatException($"{where}: expected a text, found {value.ValueKind}.");
        }
        string text = Decoded(value, where).Trim();
        int length = Count(text);
        return length is > 0 && length <= maxLength ? text : throw new FormatException($"{where}: expected 1 to {maxLength} characters, found {length}.");
    }

    private static string Decoded(JsonElement value, string where)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException($"{where}: expected a text of whole characters, found half a surrogate pair.", e);
        }
    }

    // Many models wrap JSON in ```json … ``` whatever the instructions say.
    private static ReadOnlyMemory<char> Unfenced(ReadOnlyMemory<char> text)
    {
        if (text.Length < 6 || !text.Span.StartsWith("```") || !text.Span.EndsWith("```"))
        {
            return text;
        }
        ReadOnlyMemory<char> inner = text[3..^3].Trim();
        return inner.Span.StartsWith("json", StringComparison.OrdinalIgnoreCase) ? inner[4..].TrimStart() : inner;
    }
}
