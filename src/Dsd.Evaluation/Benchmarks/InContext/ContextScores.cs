using Dsd.Curation.Chat;
using Dsd.Curation.Judging;
using Dsd.Evaluation.Judged;
using Dsd.Evaluation.Metrics;
using Dsd.Evaluation.Running;

namespace Dsd.Evaluation.Benchmarks.InContext;

/// <summary>The table of one system, as the benchmarks' <c>calculate_statistics.py</c> has it. What has no score does not count.</summary>
public sealed record ContextScores
{
    // Any number; that it is the same makes reports the same.
    private const int Seed = 20;

    private IReadOnlyList<(string Task, ContextResult[] Items)> _tasks = [];

    /// <summary>By item, for those that have both scores.</summary>
    public required IReadOnlyDictionary<string, ContextResult> ByItem { get; init; }

    /// <summary>By task.</summary>
    public required IReadOnlyDictionary<string, ContextResult> ByTask { get; init; }

    /// <summary>The mean of the tasks' means, whatever their sizes; null where no item has both scores.</summary>
    public required ContextResult? Average { get; init; }

    /// <summary>Every score, and every question that has none.</summary>
    public required IReadOnlyList<JudgedScore> Scores { get; init; }

    /// <summary>Questions that have no score, with the reason.</summary>
    public IEnumerable<JudgedScore> Failures => Scores.Where(s => s.Score is null);

    /// <summary>Asks for PF and SC of every item, and sums up.</summary>
    /// <param name="items">The items.</param>
    /// <param name="benchmark">Whose questions.</param>
    /// <param name="judge">Whom to ask, how many at a time, and how often: the originals count one answer.</param>
    /// <param name="rubrics">The texts; null for this library's own.</param>
    /// <param name="progress">Is given each score as it comes.</param>
    /// <param name="cancellationToken">Stops the work; what was scored is in the judge's store.</param>
    /// <exception cref="ChatFailedException">Too many requests failed in a row, or one in a way that all others would too.</exception>
    /// <exception cref="ChatBudgetException">The budget is spent; what was scored is in the judge's store.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static async Task<ContextScores> JudgeAsync(
        IReadOnlyList<ContextItem> items,
        ContextBenchmark benchmark,
        ScoreJudge judge,
        Rubrics? rubrics = null,
        IProgress<JudgedScore>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(judge);
        List<JudgedScore> scores = [];
        IEnumerable<ScoreQuestion> questions = items.SelectMany(item => new[]
        {
            ContextQuestions.PromptFollowing(item, benchmark, rubrics), ContextQuestions.SubjectConsistency(item, benchmark, rubrics),
        });
        await foreach (JudgedScore score in judge.AskManyAsync(questions, cancellationToken).ConfigureAwait(false))
        {
            scores.Add(score);
            progress?.Report(score);
        }
        return Of(items, benchmark, scores);
    }

    /// <summary>Makes the table. With several repeats the means are over all in which an item has both scores.</summary>
    /// <param name="items">The items.</param>
    /// <param name="benchmark">Whose questions.</param>
    /// <param name="scores">Scores of these items. Those of other items or metrics are left out.</param>
    public static ContextScores Of(IReadOnlyList<ContextItem> items, ContextBenchmark benchmark, IReadOnlyList<JudgedScore> scores)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(scores);
        (string pf, string sc) = (ContextQuestions.MetricOf(benchmark, "pf"), ContextQuestions.MetricOf(benchmark, "sc"));
        Dictionary<string, ContextItem> known = items.ToDictionary(i => i.Name, StringComparer.Ordinal);
        JudgedScore[] own = [.. scores.Where(s => known.ContainsKey(s.Item) && (s.Metric == pf || s.Metric == sc))];
        var asked = own.Where(s => s.Score is not null).ToLookup(s => (s.Item, s.Repeat));
        var both = asked
            .Select(g => (g.Key.Item, Pf: g.FirstOrDefault(s => s.Metric == pf)?.Score, Sc: g.FirstOrDefault(s => s.Metric == sc)?.Score))
            .Where(g => g.Pf is not null && g.Sc is not null)
            .GroupBy(g => g.Item, StringComparer.Ordinal)
            .ToDictionary(
                g => g.Key,
                g => new ContextResult(
                    g.Average(s => s.Pf!.Value), g.Average(s => s.Sc!.Value), g.Average(s => Math.Sqrt(s.Pf!.Value * s.Sc!.Value)), Items: 1),
                StringComparer.Ordinal);
        Dictionary<string, ContextResult> tasks = Tasks(both, known).ToDictionary(
            g => g.Key,
            g => new ContextResult(g.Average(i => i.PromptFollowing), g.Average(i => i.SubjectConsistency), g.Average(i => i.Overall), g.Count()),
            StringComparer.Ordinal);
        return new ContextScores
        {
            ByItem = both,
            ByTask = tasks,
            _tasks = [.. Tasks(both, known).Select(g => (g.Key, g.ToArray()))],
            Average = tasks.Count == 0 ? null : new ContextResult(
                tasks.Values.Average(t => t.PromptFollowing),
                tasks.Values.Average(t => t.SubjectConsistency),
                tasks.Values.Average(t => t.Overall),
                tasks.Values.Sum(t => t.Items)),
            Scores = own,
        };
    }

    /// <summary>
    /// The table in rows: PF, SC and √(PF · SC), over all (the mean of the tasks' means) and by task, with intervals by the bootstrap over the items of each
    /// task.
    /// </summary>
    internal IReadOnlyList<BenchmarkFigure> Figures()
    {
        return _tasks.Count == 0
            ? []
            :
            [
                .. Rows("pf", i => i.PromptFollowing),
                .. Rows("sc", i => i.SubjectConsistency),
                .. Rows("√(pf·sc)", i => i.Overall),
            ];

        IEnumerable<BenchmarkFigure> Rows(string figure, Func<ContextResult, double> of) =>
        [
            Row(figure, BenchmarkFigure.All, [.. _tasks.Select(t => t.Items)], of),
            .. _tasks.Select(t => Row(figure, t.Task, [t.Items], of)),
        ];

        static BenchmarkFigure Row(string figure, string part, ContextResult[][] tasks, Func<ContextResult, double> of)
        {
            Interval interval = Interval.BootstrapOfGroups([.. tasks.Select(items => items.Select(of).ToArray())], Seed);
            return new BenchmarkFigure(figure, part, interval.Mean, Low: interval.Low, High: interval.High, Items: tasks.Sum(items => items.Length));
        }
    }

    private static IEnumerable<IGrouping<string, ContextResult>> Tasks(Dictionary<string, ContextResult> both, Dictionary<string, ContextItem> known) =>
        both.GroupBy(i => known[i.Key].Task, i => i.Value, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal);
}
