using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dsd.Common.Options;
using Dsd.Curation;

namespace Dsd.Evaluation.Judged;

/// <summary>The form of an answer with one score, and its strict reading: a whole number from 0 to <see cref="Most"/>, or none.</summary>
/// <remarks>
/// The original benchmarks search an answer for anything like a score: they read 3 of '3.5', and where they find nothing OmniContext guesses at random. Here an
/// answer of another form is asked for once more, and after that there is no score.
/// </remarks>
public sealed partial class ScoreForm
{
    private const int MaxAnswerLength = 32 * 1024;
    private const int MaxReasonLength = 4000;

    private readonly Func<string, int, ScoreReading> _read;

    private ScoreForm(int most, Func<string, int, ScoreReading> read) => (Most, _read) = (OptionCheck.Range(most, 1, 1000, nameof(most)), read);

    /// <summary>The highest score.</summary>
    public int Most { get; }

    /// <summary>The JSON schema that is sent along; null for an answer in words.</summary>
    public JsonElement? Schema { get; private init; }

    /// <summary>What the schema is called; null for an answer in words.</summary>
    public string? SchemaName { get; private init; }

    /// <summary>Asks for another answer; <c>{error}</c> stands for what was wrong with the first.</summary>
    internal string? Again { get; private init; }

    /// <summary>An answer in words with exactly one <c>Score: N</c>, at the end of a line, as DreamBench++ asks for.</summary>
    /// <param name="most">The highest score, 1 to 1000.</param>
    public static ScoreForm Line(int most) => new(most, ReadLine)
    {
        Again = "That answer could not be read: {error}\nAnswer the same question again. It must have exactly one line 'Score: N', where N is a whole number "
            + string.Create(CultureInfo.InvariantCulture, $"from 0 to {most}."),
    };

    /// <summary>One JSON object <c>{"score": N, "reasoning": "…"}</c>, as OmniContext and OSBench ask for.</summary>
    /// <param name="most">The highest score, 1 to 1000.</param>
    /// <param name="name">What the schema is called, in small letters: what is asked for.</param>
    public static ScoreForm Json(int most, string name = "score") => new(most, ReadJson)
    {
        SchemaName = OptionCheck.Text(name, nameof(name)),
        Schema = JsonDocument.Parse("""
            {"type": "object", "additionalProperties": false, "required": ["score", "reasoning"], "properties": {
              "score": {"type": "integer", "description": "A whole number from 0 to MOST."}, "reasoning": {"type": "string"}}}
            """.Replace("MOST", most.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)).RootElement.Clone(),
    };

    /// <summary>Reads an answer.</summary>
    /// <exception cref="FormatException">It has no such score, or more than one; the message says what was found.</exception>
    internal ScoreReading Read(string answer) => _read(answer, Most);

    private static ScoreReading ReadLine(string answer, int most)
    {
        string expected = string.Create(CultureInfo.InvariantCulture, $"one line 'Score: N' with a whole number from 0 to {most}");
        if (answer.Length > MaxAnswerLength)
        {
            throw new FormatException($"expected {expected}, found an answer of {answer.Length} characters.");
        }
        MatchCollection found = Score().Matches(answer);
        if (found.Count != 1)
        {
            throw new FormatException(
                $"expected {expected}, found {(found.Count == 0 ? "no 'Score:'" : $"{found.Count} of them")} in '{AnswerJson.Excerpt(answer.Trim())}'.");
        }
        string value = found[0].Groups[1].Value.Trim().Trim('*', '_', '`', '[', ']', ' ').TrimEnd('.');
        return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int score) && score <= most
            ? new ScoreReading(score, AnswerJson.Beginning(answer.Trim(), MaxReasonLength))
            : throw new FormatException($"expected {expected}, found 'Score: {AnswerJson.Excerpt(value)}'.");
    }

    private static ScoreReading ReadJson(string answer, int most)
    {
        using JsonDocument document = AnswerJson.Parse(answer, MaxAnswerLength);
        AnswerJson.Fields(document.RootElement, "answer", "score", "reasoning");
        return new ScoreReading(
            AnswerJson.Whole(document.RootElement, "score", 0, most), AnswerJson.Text(document.RootElement, "reasoning", MaxReasonLength));
    }

    [GeneratedRegex(@"\bscore[*_]{0,2}\s*:([^\r\n]*)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Score();
}

/// <summary>A score as it was read.</summary>
/// <param name="Score">The score.</param>
/// <param name="Reason">The judge's words.</param>
internal sealed record ScoreReading(int Score, string Reason);
