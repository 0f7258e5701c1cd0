using Dsd.Curation.Chat;
using Dsd.Curation.Judging;
using Dsd.Evaluation.Judged;

namespace Dsd.Evaluation.Benchmarks.DreamBenchPlus;

/// <summary>Judges a system's folder as DreamBench++ does.</summary>
public static class DreamBenchJudging
{
    /// <summary>Asks for CP and PF of every item, and sums up.</summary>
    /// <param name="folder">The pictures.</param>
    /// <param name="judge">Whom to ask, how often and how many at a time. With a store, what was asked before is not asked again.</param>
    /// <param name="options">What is judged; null is the defaults.</param>
    /// <param name="progress">Is given each score as it comes.</param>
    /// <param name="cancellationToken">Stops the work; what was scored is in the judge's store.</param>
    /// <exception cref="ChatFailedException">Too many requests failed in a row, or one in a way that all others would too.</exception>
    /// <exception cref="ChatBudgetException">The budget is spent; what was scored is in the judge's store.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static async Task<DreamBenchScores> JudgeAsync(
        DreamBenchFolder folder,
        ScoreJudge judge,
        DreamBenchOptions? options = null,
        IProgress<JudgedScore>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(judge);
        options ??= new DreamBenchOptions();
        DreamBenchItem[] items = [.. folder.Items.Where(i => options.EverySample || i.Sample == 0)];
        List<JudgedScore> scores = [];
        await foreach (JudgedScore score in judge.AskManyAsync(items.SelectMany(Questions), cancellationToken).ConfigureAwait(false))
        {
            scores.Add(score);
            progress?.Report(score);
        }
        return DreamBenchScores.Of(items, scores);

        IEnumerable<ScoreQuestion> Questions(DreamBenchItem item)
        {
            if (options.ConceptPreservation)
            {
                yield return DreamBenchQuestions.ConceptPreservation(item, options.Rubrics);
            }
            if (options.PromptFollowing)
            {
                yield return DreamBenchQuestions.PromptFollowing(item, options.Rubrics);
            }
        }
    }
}
