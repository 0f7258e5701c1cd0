using System.Globalization;
using System.Text;
using System.Text.Json;
using Dsd.Common.Files;
using Dsd.Curation.Axes;
using Dsd.Runs.Export;
using Dsd.Runs.Ledger;

namespace Dsd.Runs.Reports;

/// <summary>
/// How much of a run survives each stage and each threshold, and what a kept pair costs: from the ledger alone, so that thresholds can be chosen after judging.
/// </summary>
/// <param name="Stages">From captions to kept pairs.</param>
/// <param name="Curve">For each axis, and for all at once, the thresholds 0 to 4.</param>
/// <param name="Calls">Questions that were asked about pairs, repeats after unreadable answers included.</param>
/// <param name="Tokens">Tokens of these questions and answers, as far as models tell.</param>
/// <param name="Cost">What they cost; null without prices, or where a model has none.</param>
public sealed record SurvivalReport(
    IReadOnlyList<SurvivalStage> Stages, IReadOnlyList<SurvivalPoint> Curve, long Calls, long Tokens, double? Cost)
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n" };

    /// <summary>Reports on a ledger.</summary>
    /// <param name="ledger">The ledger. Rows that cannot be read are left out.</param>
    /// <param name="cut">
    /// What pairs must fulfil besides the thresholds; null for what the run and people kept. Its own thresholds on axes stay in force.
    /// </param>
    /// <param name="prices">What models cost; null for none.</param>
    /// <param name="cancellationToken">Checked before each pair.</param>
    /// <exception cref="LedgerException">The ledger as a whole cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static SurvivalReport Of(RunLedger ledger, PairCut? cut = null, PriceList? prices = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        PairAxis[] axes = Enum.GetValues<PairAxis>();
        const int Steps = PairAxes.Most + 1;
        // Kept pairs by their score on each axis; the last row is by the lowest of all.
        long[,] reached = new long[axes.Length + 1, Steps];
        (long judged, long decided, long scored, long kept) = (0, 0, 0, 0);
        foreach (LedgerPair found in ledger.Pairs(unreadable: _ => { }))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (ledger.ReadablePairOf(found.Id) is not { } pair)
            {
                continue;
            }
            bool keeps = cut?.Keeps(pair) ?? pair.Kept;
            judged++;
            decided += pair.Judgement.Status == Curation.Judging.VerdictStatus.Decided ? 1 : 0;
            scored += pair.Axes?.Axes is not null ? 1 : 0;
            kept += keeps ? 1 : 0;
            if (keeps && pair.Axes?.Axes is { } scores)
            {
                for (int i = 0; i < axes.Length; i++)
                {
                    reached[i, scores[axes[i]]]++;
                }
                reached[axes.Length, axes.Min(axis => scores[axis])]++;
            }
        }
        IReadOnlyList<LedgerUsage> usage = ledger.Usage();
        double?[] costs = [.. usage.Select(u => prices?.CostOf(u.Model, u.InputTokens, u.OutputTokens))];
        double? cost = prices is null || costs.Any(c => c is null) ? null : costs.Sum();
        long tokens = usage.Sum(u => u.InputTokens + u.OutputTokens);
        LedgerCounts counts = ledger.Counts();
        return new SurvivalReport(
        [
            new("captions", counts.Captions, null), new("prompts", counts.Prompts, null), new("grids", counts.Grids, null), Stage("pairs judged", judged),
            Stage("pairs with a verdict", decided), Stage("pairs scored by axes", scored), Stage("pairs kept", kept),
        ],
        [
            .. Enumerable.Range(0, axes.Length + 1).SelectMany(i => Enumerable.Range(0, Steps).Select(least =>
            {
                long left = Enumerable.Range(least, Steps - least).Sum(step => reached[i, step]);
                return new SurvivalPoint(
                    i == axes.Length ? "all" : JsonNamingPolicy.SnakeCaseLower.ConvertName(axes[i].ToString()), least, left, Share(left),
                    left == 0 ? null : cost / left, left == 0 ? null : (double)tokens / left);
            })),
        ],
        usage.Sum(u => u.Calls),
        tokens,
        cost);

        double Share(long count) => judged == 0 ? 0 : (double)count / judged;
        SurvivalStage Stage(string name, long count) => new(name, count, Share(count));
    }

    /// <summary>The report as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>The report as tables in Markdown.</summary>
    public string ToMarkdown()
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        StringBuilder text = new("| stage | count | share of judged pairs |\n| --- | --- | --- |\n");
        foreach (SurvivalStage stage in Stages)
        {
            text.Append(c, $"| {stage.Name} | {stage.Count} | {(stage.Share is { } share ? share.ToString("P1", c) : "")} |\n");
        }
        text.Append(c, $"\n{Calls} questions, {Tokens} tokens{(Cost is { } cost ? string.Create(c, $", cost {cost:0.####}") : "")}.\n\n");
        text.Append("| axis | least | kept | share | cost per kept pair | tokens per kept pair |\n| --- | --- | --- | --- | --- | --- |\n");
        foreach (SurvivalPoint point in Curve)
        {
            text.Append(
                c,
                $"| {point.Axis} | {point.Least} | {point.Kept} | {point.Share.ToString("P1", c)} | {point.CostPerKept:0.#####} | {point.TokensPerKept:0} |\n");
        }
        return text.ToString();
    }

    /// <summary>Writes <c>survival.json</c> and <c>survival.md</c> into a folder, which is made if need be.</summary>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void Write(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        foreach ((string name, string text) in new[] { ("survival.json", ToJson()), ("survival.md", ToMarkdown()) })
        {
            AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(Encoding.UTF8.GetBytes(text)));
        }
    }
}
