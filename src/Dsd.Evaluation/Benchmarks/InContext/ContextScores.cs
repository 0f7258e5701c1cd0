using Dsd.Curation.Chat;
using Dsd.Curation.Judging;
using Dsd.Evaluation.Judged;

namespace Dsd.Evaluation.Benchmarks.InContext;

/// <summary>The table of one system, as the benchmarks' <c>calculate_statistics.py</c> has it. What has no score does not count.</summary>
public sealed record ContextScores
{
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
            .Select(g => (
                known[g.Key].Task,
                Pf: g.Average(s => s.Pf!.Value),
                Sc: g.Average(s => s.Sc!.Value),
                All: g.Average(s => Math.Sqrt(s.Pf!.Value * s.Sc!.Value))));
        Dictionary<string, ContextResult> tasks = both.GroupBy(i => i.Task, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(
            g => g.Key, g => new ContextResult(g.Average(i => i.Pf), g.Average(i => i.Sc), g.Average(i => i.All), g.Count()), StringComparer.Ordinal);
        return new ContextScores
        {
            ByTask = tasks,
            Average = tasks.Count == 0 ? null : new ContextResult(
                tasks.Values.Average(t => t.PromptFollowing),
                tasks.Values.Average(t => t.SubjectConsistency),
                tasks.Values.Average(t => t.Overall),
                tasks.Values.Sum(t => t.Items)),
            Scores = own,
        };
    }
}
