using Dsd.Curation.Judging;
using Microsoft.Data.Sqlite;

namespace Dsd.Runs.Ledger;

// What a review asks: pairs by what they are, and how far people and judges agree.
public sealed partial class RunLedger
{
    /// <summary>The ids of the pairs that a filter lets through, in order. About 80 bytes of memory a pair.</summary>
    public IReadOnlyList<string> PairIds(PairFilter filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        List<string> conditions = ["1"];
        List<object> values = [];
        Add(filter.Outcome, o => o switch
        {
            JudgeOutcome.Kept => "p.kept = 1",
            JudgeOutcome.Rejected => $"p.kept = 0 AND p.status IN ({Statuses(VerdictStatus.Undecided)})",
            _ => $"p.status = '{VerdictStatus.Undecided}'",
        });
        Add(filter.Review, r => r switch
        {
            ReviewState.Unreviewed => "r.kept IS NULL",
            ReviewState.Reviewed => "r.kept IS NOT NULL",
            ReviewState.Kept => "r.kept = 1",
            ReviewState.Rejected => "r.kept = 0",
            _ => "r.kept <> p.kept",
        });
        Add(filter.LeastConfidence, c => $"p.confidence >= {Value(c)}");
        Add(filter.MostConfidence, c => $"p.confidence <= {Value(c)}");
        if (filter.Judge is { } judge)
        {
            conditions.Add($"EXISTS (SELECT 1 FROM votes v WHERE v.pair_id = p.id AND v.judge = {Value(judge)})");
        }
        if (filter.Flag is { } flag)
        {
            conditions.Add($"EXISTS (SELECT 1 FROM votes v, json_each({Json("v.verdict")}, '$.flags') f WHERE v.pair_id = p.id AND f.value = {Value(flag)})");
        }
        if (filter.Text is { } text)
        {
            string word = Value(text);
            // Captions and verdicts are JSON, which escapes letters: they are looked at value by value.
            conditions.Add($"""
                (holds(p.id, {word}) OR holds(p.reason, {word})
                OR EXISTS (SELECT 1 FROM prompts q WHERE q.id = p.prompt_id
                  AND (holds(q.text, {word}) OR holds(q.subject, {word})
                    OR EXISTS (SELECT 1 FROM json_each({Json("q.captions")}) c WHERE holds(c.value, {word}))))
                OR EXISTS (SELECT 1 FROM panels c WHERE c.prompt_id = p.prompt_id AND c.panel IN (p.first, p.second) AND holds(c.caption, {word}))
                OR EXISTS (SELECT 1 FROM votes v WHERE v.pair_id = p.id
                  AND (holds(v.reason, {word}) OR EXISTS (SELECT 1 FROM json_tree({Json("v.verdict")}) t WHERE t.type = 'text' AND holds(t.atom, {word})))))
                """);
        }
        // What is no text names nothing that could be asked for.
        conditions.Add("typeof(p.id) = 'text'");
        return Read(
            $"SELECT p.id FROM pairs p LEFT JOIN reviews r ON r.pair_id = p.id WHERE {string.Join(" AND ", conditions)} ORDER BY p.id",
            r => r.GetString(0),
            [.. values]);

        void Add<T>(T? wanted, Func<T, string> condition)
            where T : struct
        {
            if (wanted is { } value)
            {
                conditions.Add(condition(value));
            }
        }

        string Value(object value)
        {
            values.Add(value);
            return $"${values.Count - 1}";
        }
    }

    /// <summary>How often the judge and the people who looked were of one opinion.</summary>
    public LedgerAgreement Agreement()
    {
        Dictionary<(bool, bool), long> counts = Read(
            "SELECT p.kept, r.kept, count(*) FROM reviews r JOIN pairs p ON p.id = r.pair_id "
            + "WHERE p.kept IN (0, 1) AND r.kept IN (0, 1) GROUP BY p.kept, r.kept",
            r => (Key: (r.GetBoolean(0), r.GetBoolean(1)), Count: r.GetInt64(2))).ToDictionary(c => c.Key, c => c.Count);
        return new LedgerAgreement(
            counts.GetValueOrDefault((true, true)),
            counts.GetValueOrDefault((true, false)),
            counts.GetValueOrDefault((false, true)),
            counts.GetValueOrDefault((false, false)));
    }

    /// <summary>What the judge made of all pairs, whatever people said.</summary>
    public LedgerOutcomes Outcomes() => Read(
        $"""
        SELECT count(*) FILTER (WHERE kept = 1 AND status IN ({Statuses()})),
          count(*) FILTER (WHERE kept = 0 AND status IN ({Statuses(VerdictStatus.Undecided)})),
          count(*) FILTER (WHERE status = '{VerdictStatus.Undecided}') FROM pairs
        """,
        r => new LedgerOutcomes(r.GetInt64(0), r.GetInt64(1), r.GetInt64(2)))[0];

    /// <summary>The quality flags that votes raised, the most frequent first.</summary>
    /// <param name="most">At most so many: judges may invent flags.</param>
    public IReadOnlyList<string> Flags(int most = 100) => Read(
        $"SELECT f.value FROM votes v, json_each({Json("v.verdict")}, '$.flags') f WHERE f.type = 'text' "
        + "GROUP BY f.value ORDER BY count(*) DESC, f.value LIMIT $0",
        r => r.GetString(0),
        most);

    // A text that is no JSON must not end the whole query.
    private static string Json(string column) => $"CASE WHEN typeof({column}) = 'text' AND json_valid({column}) THEN {column} END";

    private static void AddFunctions(SqliteConnection connection) =>
        connection.CreateFunction(
            "holds", (string? text, string word) => text?.Contains(word, StringComparison.OrdinalIgnoreCase) ?? false, isDeterministic: true);

    /// <summary>All words for a status but one, as SQLite's list.</summary>
    private static string Statuses(VerdictStatus? but = null) => string.Join(", ", Enum.GetValues<VerdictStatus>().Where(s => s != but).Select(s => $"'{s}'"));
}
