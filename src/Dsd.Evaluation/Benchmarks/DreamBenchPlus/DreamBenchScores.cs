using Dsd.Curation.Judging;
using Dsd.Evaluation.Judged;
using Dsd.Evaluation.Metrics;
using Dsd.Evaluation.Running;

namespace Dsd.Evaluation.Benchmarks.DreamBenchPlus;

/// <summary>DreamBench++'s table of one system. Scores are divided by 4; what has no score does not count.</summary>
public sealed record DreamBenchScores
{
    /// <summary>CP, concept preservation over all items; null where none has a score.</summary>
    public RepeatSummary? ConceptPreservation { get; private init; }

    /// <summary>CP by category, for those that have a score.</summary>
    public required IReadOnlyDictionary<DreamBenchCategory, RepeatSummary> ByCategory { get; init; }

    /// <summary>PF, prompt following over all items; null where none has a score.</summary>
    public RepeatSummary? PromptFollowing { get; private init; }

    /// <summary>PF by kind of prompt, for those that have a score.</summary>
    public required IReadOnlyDictionary<DreamBenchPrompts, RepeatSummary> ByPrompts { get; init; }

    /// <summary>CP · PF, the headline: the product of the two means, 0 to 1; null where one is missing.</summary>
    public double? Product => ConceptPreservation?.Mean * PromptFollowing?.Mean;

    /// <summary>Every score, and every question that has none.</summary>
    public required IReadOnlyList<JudgedScore> Scores { get; init; }

    /// <summary>Questions that have no score, with the reason.</summary>
    public IEnumerable<JudgedScore> Failures => Scores.Where(s => s.Score is null);

    /// <summary>Makes the table.</summary>
    /// <param name="items">The items.</param>
    /// <param name="scores">Scores of these items by <see cref="DreamBenchQuestions"/>. Those of other items or metrics are left out.</param>
    public static DreamBenchScores Of(IReadOnlyList<DreamBenchItem> items, IReadOnlyList<JudgedScore> scores)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(scores);
        Dictionary<string, DreamBenchItem> known = items.ToDictionary(i => i.Key, StringComparer.Ordinal);
        (JudgedScore Score, DreamBenchItem Item)[] rows = [.. scores.Where(s => known.ContainsKey(s.Item)).Select(s => (s, known[s.Item]))];
        (JudgedScore Score, DreamBenchItem Item)[] cp = [.. rows.Where(r => r.Score.Metric == DreamBenchQuestions.ConceptPreservationMetric)];
        (JudgedScore Score, DreamBenchItem Item)[] pf = [.. rows.Where(r => r.Score.Metric == DreamBenchQuestions.PromptFollowingMetric)];
        return new DreamBenchScores
        {
            ConceptPreservation = Summary(cp.Select(r => r.Score)),
            ByCategory = By(cp, r => r.Category),
            PromptFollowing = Summary(pf.Select(r => r.Score)),
            ByPrompts = By(pf, r => r.Prompts),
            Scores = [.. cp.Concat(pf).Select(r => r.Score)],
        };
    }

    /// <summary>The table in rows: CP over all and by category, PF over all and by kind of prompt, and CP · PF.</summary>
    internal IReadOnlyList<BenchmarkFigure> Figures()
    {
        return
        [
            .. Row(MetricNames.ConceptPreservation, BenchmarkFigure.All, ConceptPreservation),
            .. ByCategory.Where(c => c.Key != DreamBenchCategory.Other)
                .SelectMany(c => Row(MetricNames.ConceptPreservation, c.Key.ToString().ToLowerInvariant(), c.Value)),
            .. Row(MetricNames.PromptFollowing, BenchmarkFigure.All, PromptFollowing),
            .. ByPrompts.Where(p => p.Key != DreamBenchPrompts.Other).SelectMany(p => Row(MetricNames.PromptFollowing, Called(p.Key), p.Value)),
            .. Product is { } product
                ? [new BenchmarkFigure(
                    $"{MetricNames.ConceptPreservation}·{MetricNames.PromptFollowing}", BenchmarkFigure.All, product,
                    Items: Math.Min(ConceptPreservation!.Items, PromptFollowing!.Items))]
                : Array.Empty<BenchmarkFigure>(),
        ];

        static IEnumerable<BenchmarkFigure> Row(string figure, string of, RepeatSummary? summary) =>
            summary is null ? [] : [new BenchmarkFigure(figure, of, summary.Mean, summary.Deviation, Items: summary.Items)];

        static string Called(DreamBenchPrompts prompts) => prompts switch
        {
            DreamBenchPrompts.Photorealistic => "prompts 0-3 (photorealistic)",
            DreamBenchPrompts.StyleTransfer => "prompts 4-6 (style transfer)",
            _ => "prompts 7-8 (imaginative)",
        };
    }

    private static Dictionary<T, RepeatSummary> By<T>((JudgedScore Score, DreamBenchItem Item)[] rows, Func<DreamBenchItem, T> part)
        where T : notnull =>
        rows.GroupBy(r => part(r.Item)).OrderBy(g => g.Key).Select(g => (g.Key, Summary: Summary(g.Select(r => r.Score))))
            .Where(g => g.Summary is not null).ToDictionary(g => g.Key, g => g.Summary!);

    private static RepeatSummary? Summary(IEnumerable<JudgedScore> scores) => RepeatSummary.Of(scores, DreamBenchQuestions.Most);
}
