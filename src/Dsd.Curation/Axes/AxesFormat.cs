using System.Text.Json;

namespace Dsd.Curation.Axes;

/// <summary>The form of <see cref="PairAxes"/>: its JSON schema, and the strict reading of an answer.</summary>
public static class AxesFormat
{
    /// <summary>The longest answer that is read, in characters (code points, as in all bounds of it).</summary>
    public const int MaxAnswerLength = 32 * 1024;

    /// <summary>The most parts of a subject.</summary>
    public const int MaxParts = 24;

    /// <summary>The longest form that can be written: all fields full, and each character as two of \uXXXX.</summary>
    internal const int MaxWrittenLength = 320 * 1024;

    private static readonly JsonElement SchemaElement = JsonDocument.Parse(TextResource.Embedded("axes.schema.json")).RootElement;

    /// <summary>The JSON schema that judges are asked to follow: every field required, no other allowed.</summary>
    public static JsonElement Schema => SchemaElement;

    /// <summary>Reads an answer. It may stand in a code fence; anything else around or inside it is refused.</summary>
    /// <remarks>
    /// Bounds: <c>subject</c> 500 characters, 1 to 24 <c>parts</c> with names of 100 and differences of 1000, scores whole numbers from 0 to 4.
    /// </remarks>
    /// <exception cref="FormatException">It is no such answer; the message names the field.</exception>
    public static PairAxes Parse(string? answer) => Parse(answer, MaxAnswerLength);

    internal static PairAxes Parse(string? answer, int maxLength)
    {
        using JsonDocument document = AnswerJson.Parse(answer, maxLength);
        JsonElement root = document.RootElement;
        AnswerJson.Fields(root, "answer", "subject", "parts", "object_consistency", "image_quality", "composition", "prompt_adherence");
        JsonElement parts = root.GetProperty("parts");
        if (parts.ValueKind != JsonValueKind.Array || parts.GetArrayLength() is 0 or > MaxParts)
        {
            throw new FormatException(
                $"field 'parts': expected a list of 1 to {MaxParts} parts, found "
                + $"{(parts.ValueKind == JsonValueKind.Array ? $"{parts.GetArrayLength()}" : parts.ValueKind)}.");
        }
        return new PairAxes
        {
            Subject = AnswerJson.Text(root, "subject", 500),
            Parts = [.. parts.EnumerateArray().Select((part, i) => Part(part, $"field 'parts[{i}]'"))],
            ObjectConsistency = Score(root, "object_consistency"),
            ImageQuality = Score(root, "image_quality"),
            Composition = Score(root, "composition"),
            PromptAdherence = Score(root, "prompt_adherence"),
        };
    }

    private static PartScore Part(JsonElement part, string where)
    {
        AnswerJson.Fields(part, where, "name", "differences", "score");
        return new PartScore
        {
            Name = AnswerJson.Text(part, "name", 100),
            Differences = AnswerJson.Text(part, "differences", 1000),
            Score = Score(part, "score"),
        };
    }

    private static int Score(JsonElement parent, string name) => AnswerJson.Whole(parent, name, 0, PairAxes.Most);
}
