namespace Dsd.Curation.Judging;

/// <summary>What any judge can do.</summary>
public static class PairJudging
{
    /// <summary>Judges many pairs, so many at a time, and gives the results in the order of the pairs.</summary>
    /// <param name="judge">The judge.</param>
    /// <param name="pairs">The pairs, taken only as there is room to judge them.</param>
    /// <param name="concurrency">How many are judged at the same time, 1 to 4096.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <remarks>The first failure stops the rest and is thrown.</remarks>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static IAsyncEnumerable<PairJudgement> JudgeManyAsync(
        this IPairJudge judge, IEnumerable<PicturePair> pairs, int concurrency, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(judge);
        return OrderedWork.SelectAsync(pairs, (pair, cancel) => judge.JudgeAsync(pair.A, pair.B, cancel), concurrency, cancellationToken);
    }
}
