using System.Text.Json;
using Dsd.Curation.Axes;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;

namespace Dsd.Runs.Ledger;

/// <summary>A table of the ledger: its columns in order, the key first, and what a row must be. Whatever reads rows does it by this.</summary>
internal abstract record LedgerTable(string Name, int Keys, string Columns)
{
    // Beyond what any run spends, and small enough that sums over millions of rows have room.
    public const long MostCounted = 1_000_000_000_000;
    private const double MostSeconds = 1e9;

    /// <summary>Notes of the whole ledger.</summary>
    public static LedgerTable<(string Name, string Value)> Meta { get; } = new("meta", 1, "name, value", r => (r.Text(0), r.Text(1)));

    public static LedgerTable<(SeedCaption Caption, bool Written)> Captions { get; } = new("captions", 1, "key, caption, written", r =>
        (
            new SeedCaption(
                r.Parsed(0, "a key of letters, digits, '-', '_' or '.'", k => new SeedCaption(k, "words").Key),
                r.Parsed(1, "a caption of 1 to 4000 characters", w => new SeedCaption("words", w).Caption)),
            r.Flag(2)));

    public static LedgerTable<LedgerPrompt> Prompts { get; } =
        new("prompts", 1, "id, caption_key, ordinal, text, subject, layout, captions, seed", r => new LedgerPrompt(
        r.Text(0),
        r.Text(1),
        r.Number(2, 0, int.MaxValue),
        new GridPrompt(r.Text(3), r.Parsed(5, "a layout such as 2x2", GridLayout.Parse), r.Text(4), r.Parsed(6, "a JSON list of texts", Texts)),
        r.Whole(7, long.MinValue, long.MaxValue)));

    public static LedgerTable<LedgerGrid> Grids { get; } = new("grids", 1, "prompt_id, file, width, height, sha256, drawer", r =>
        new LedgerGrid(r.Text(0), r.Text(1), r.Number(2, 1, int.MaxValue), r.Number(3, 1, int.MaxValue), r.Text(4), r.Text(5)));

    public static LedgerTable<(string PromptId, int Panel, string Caption)> Panels { get; } = new(
        "panels", 2, "prompt_id, panel, caption", r => (r.Text(0), Panel(r, 1), r.Text(2)));

    public static LedgerTable<LedgerPair> Pairs { get; } = new("pairs", 1, "id, prompt_id, first, second, status, kept, confidence, reason", Pair);

    public static LedgerTable<(string PairId, JudgeVote Vote)> Votes { get; } = new(
        "votes", 2, "pair_id, ordinal, judge, model, kept, verdict, reason, attempts, input_tokens, output_tokens, seconds", Vote);

    public static LedgerTable<(string Id, string Stage, string Message)> Failures { get; } = new(
        "failures", 1, "id, stage, message", r => (r.Text(0), r.Text(1), r.Text(2)));

    public static LedgerTable<(string PairId, bool Kept, string At)> Reviews { get; } = new(
        "reviews", 1, "pair_id, kept, at", r => (r.Text(0), r.Flag(1), r.Text(2)));

    public static LedgerTable<(string Session, long Calls, long Tokens)> Spent { get; } = new("spent", 1, "id, calls, tokens", r =>
        (r.Text(0), r.Whole(1, 0, MostCounted), r.Whole(2, 0, MostCounted)));

    public static LedgerTable<(string PairId, AxesVote Vote)> Axes { get; } = new(
        "axes", 1, "pair_id, judge, model, axes, reason, attempts, input_tokens, output_tokens, seconds", AxesOf)
    { Since = 2 };

    public static LedgerTable<JudgedScore> Scores { get; } = new(
        "scores", 4, "metric, item, repeat, judge, question, score, reason, model, attempts, input_tokens, output_tokens, seconds", Score)
    { Since = 2 };

    /// <summary>All tables that a ledger has.</summary>
    public static IReadOnlyList<LedgerTable> All { get; } = [Meta, Captions, Prompts, Grids, Panels, Pairs, Votes, Failures, Reviews, Spent, Axes, Scores];

    /// <summary>The first version of ledgers that has it.</summary>
    public int Since { get; init; } = 1;

    /// <summary>The query of all rows; conditions may be added.</summary>
    public string Select => $"SELECT {Columns} FROM {Name}";

    /// <summary>The columns where the table has another name in a query.</summary>
    public string ColumnsOf(string alias) => string.Join(", ", Columns.Split(", ").Select(c => $"{alias}.{c}"));

    /// <summary>Reads a row only to see whether it can be.</summary>
    /// <exception cref="LedgerException">It cannot.</exception>
    public abstract void Check(LedgerRow row);

    private static int Panel(LedgerRow r, int column) => r.Number(column, 0, GridLayout.MaxPanels - 1);

    private static string[] Texts(string json) =>
        JsonSerializer.Deserialize<string[]>(json) is { } texts && !texts.Contains(null) ? texts : throw new FormatException("not all of it is text");

    private static LedgerPair Pair(LedgerRow r)
    {
        (int first, int second) = (Panel(r, 2), Panel(r, 3));
        return new LedgerPair(r.Text(0), r.Text(1), first, second != first ? second : throw r.Bad(3, "another panel than the first"), new PairJudgement
        {
            Status = r.Word<VerdictStatus>(4),
            Kept = r.Flag(5),
            Confidence = r.RealOrNull(6, 0, 1) ?? double.NaN,
            Reason = r.Text(7),
            Votes = [],
        });
    }

    private static (string, AxesVote) AxesOf(LedgerRow r) => (r.Text(0), new AxesVote
    {
        Judge = r.Text(1),
        Model = r.TextOrNull(2),
        Axes = r.TextOrNull(3) is null ? null : r.Parsed(3, "scores by axes", PairAxes.FromJson),
        Reason = r.Text(4),
        Attempts = r.Number(5, 0, int.MaxValue),
        InputTokens = r.Whole(6, 0, MostCounted),
        OutputTokens = r.Whole(7, 0, MostCounted),
        Duration = TimeSpan.FromSeconds(r.Real(8, 0, MostSeconds)),
    });

    private static JudgedScore Score(LedgerRow r) => new()
    {
        Metric = r.Text(0),
        Item = r.Text(1),
        Repeat = r.Number(2, 0, int.MaxValue),
        Judge = r.Text(3),
        Question = r.Text(4),
        Score = (int?)r.WholeOrNull(5, 0, int.MaxValue),
        Reason = r.Text(6),
        Model = r.TextOrNull(7),
        Attempts = r.Number(8, 0, int.MaxValue),
        InputTokens = r.Whole(9, 0, MostCounted),
        OutputTokens = r.Whole(10, 0, MostCounted),
        Duration = TimeSpan.FromSeconds(r.Real(11, 0, MostSeconds)),
    };

    private static (string, JudgeVote) Vote(LedgerRow r)
    {
        _ = r.Number(1, 0, int.MaxValue);
        return (r.Text(0), new JudgeVote
        {
            Judge = r.Text(2),
            Model = r.TextOrNull(3),
            Kept = r.Flag(4),
            Verdict = r.TextOrNull(5) is null ? null : r.Parsed(5, "a verdict", Verdict.FromJson),
            Reason = r.Text(6),
            Attempts = r.Number(7, 0, int.MaxValue),
            InputTokens = r.Whole(8, 0, MostCounted),
            OutputTokens = r.Whole(9, 0, MostCounted),
            Duration = TimeSpan.FromSeconds(r.Real(10, 0, MostSeconds)),
        });
    }
}

/// <summary>A table and what its rows become.</summary>
internal sealed record LedgerTable<T>(string Name, int Keys, string Columns, Func<LedgerRow, T> Read) : LedgerTable(Name, Keys, Columns)
{
    public override void Check(LedgerRow row) => Read(row);
}
