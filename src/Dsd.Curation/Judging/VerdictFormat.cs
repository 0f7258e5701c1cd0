using System.Text.Json;

namespace Dsd.Curation.Judging;

/// <summary>The form of a verdict: its JSON schema, and the strict reading of an answer.</summary>
public static class VerdictFormat
{
    /// <summary>The longest answer that is read, in characters (code points, as in all bounds of a verdict).</summary>
    public const int MaxAnswerLength = 32 * 1024;

    /// <summary>The longest verdict that can be written: all fields full, and each character as two of \uXXXX.</summary>
    internal const int MaxWrittenLength = 320 * 1024;

    private static readonly JsonElement SchemaElement = ReadSchema();

    /// <summary>The JSON schema that judges are asked to follow: every field required, no other allowed.</summary>
    public static JsonElement Schema => SchemaElement;

    /// <summary>Reads a verdict. The answer may stand in a code fence; anything else around or inside it is refused.</summary>
    /// <remarks>
    /// Bounds, in code points as JSON schemas count: <c>subject</c> 500 characters, descriptions 4000 each, at most 32 <c>differences</c>
    /// of 500, at most 16 <c>flags</c> of 64, <c>confidence</c> a finite number from 0 to 1.
    /// </remarks>
    /// <exception cref="VerdictFormatException">The answer is no verdict; the message names the field.</exception>
    public static Verdict Parse(string? answer) => Parse(answer, MaxAnswerLength);

    internal static Verdict Parse(string? answer, int maxLength)
    {
        try
        {
            using JsonDocument document = AnswerJson.Parse(answer, maxLength);
            JsonElement root = document.RootElement;
            AnswerJson.Fields(root, "verdict", "subject", "description_a", "description_b", "differences", "same", "confidence", "flags");
            return new Verdict
            {
                Subject = AnswerJson.Text(root, "subject", 500),
                DescriptionA = AnswerJson.Text(root, "description_a", 4000),
                DescriptionB = AnswerJson.Text(root, "description_b", 4000),
                Differences = AnswerJson.Texts(root, "differences", 32, 500),
                Same = Bool(root.GetProperty("same")),
                Confidence = Confidence(root.GetProperty("confidence")),
                Flags = AnswerJson.Texts(root, "flags", 16, 64),
            };
        }
        catch (FormatException e) when (e is not VerdictFormatException)
        {
            throw new VerdictFormatException($"The answer is no verdict: {e.Message}", e);
        }
    }

    private static bool Bool(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw new FormatException($"field 'same': expected true or false, found {value.ValueKind}."),
    };

    private static double Confidence(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double confidence) && confidence is >= 0 and <= 1
            ? confidence
            : throw new FormatException($"field 'confidence': expected a number from 0 to 1, found {AnswerJson.Excerpt(value.GetRawText())}.");

    private static JsonElement ReadSchema()
    {
        using JsonDocument document = JsonDocument.Parse(TextResource.Embedded("verdict.schema.json"));
        return document.RootElement.Clone();
    }
}
