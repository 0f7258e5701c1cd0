using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Dsd.Curation.Chat;

/// <summary>What a server said in place of an answer.</summary>
internal static partial class ServerWords
{
    /// <summary>How much of it a message quotes, in characters.</summary>
    public const int MaxQuoted = 300;

    private static readonly JsonSerializerOptions Legible = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The body on one line: JSON without its escapes and white space, anything else as it came.</summary>
    public static string Of(string body)
    {
        string text = body;
        try
        {
            text = JsonSerializer.Serialize(JsonSerializer.Deserialize<JsonElement>(body), Legible);
            // Even so it escapes what is a surrogate pair.
            text = Pair().Replace(text, pair => Regex.Unescape(pair.Value));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
        }
        StringBuilder line = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            // No line, no terminal's command and nothing unseen comes out of a server's words.
            bool isBlank = Rune.IsWhiteSpace(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format;
            if (!isBlank)
            {
                line.Append(rune);
            }
            else if (line.Length > 0 && line[^1] != ' ')
            {
                line.Append(' ');
            }
        }
        return line.ToString().TrimEnd();
    }

    /// <summary>Those words as a message quotes them.</summary>
    public static string Quoted(string said) => said.Length == 0 ? "nothing" : $"'{AnswerJson.Excerpt(said, MaxQuoted)}'";

    /// <summary>Whether a body is a web page.</summary>
    public static bool IsPage(string said) =>
        said.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase) || said.StartsWith("<html", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Whether a body in place of an answer is an error: <c>error</c> (OpenAI, LM Studio, Ollama), <c>object</c> of that name (vLLM until
    /// 0.10), <c>detail</c> (FastAPI), or a <c>message</c> alone.
    /// </summary>
    public static bool IsError(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object
        && (root.TryGetProperty("error", out JsonElement error) && error.ValueKind is not (JsonValueKind.Null or JsonValueKind.False)
            || root.TryGetProperty("object", out JsonElement kind) && kind.ValueKind == JsonValueKind.String && kind.ValueEquals("error")
            || root.TryGetProperty("detail", out _)
            || root.TryGetProperty("message", out JsonElement message) && message.ValueKind == JsonValueKind.String);

    /// <summary>The HTTP status that an error names in its body; null where it names none.</summary>
    public static int? Code(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        foreach (string name in new[] { "code", "status", "status_code" })
        {
            if (root.TryGetProperty(name, out JsonElement value)
                && (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number)
                    || value.ValueKind == JsonValueKind.String
                        && double.TryParse(ChatAnswer.Text(value), NumberStyles.None, CultureInfo.InvariantCulture, out number))
                && number is >= 400 and < 600)
            {
                return (int)number;
            }
        }
        return root.TryGetProperty("error", out JsonElement error) ? Code(error) : null;
    }

    [GeneratedRegex(@"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")]
    private static partial Regex Pair();
}
