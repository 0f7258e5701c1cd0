using System.Runtime.CompilerServices;
using Dsd.Common.Options;

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
    public static async IAsyncEnumerable<PairJudgement> JudgeManyAsync(
        this IPairJudge judge, IEnumerable<PicturePair> pairs, int concurrency, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(judge);
        ArgumentNullException.ThrowIfNull(pairs);
        OptionCheck.Range(concurrency, 1, 4096, nameof(concurrency));
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Queue<Task<PairJudgement>> running = new();
        try
        {
            foreach (PicturePair pair in pairs)
            {
                running.Enqueue(Task.Run(() => judge.JudgeAsync(pair.A, pair.B, stop.Token), stop.Token));
                if (running.Count == concurrency)
                {
                    yield return await running.Dequeue().ConfigureAwait(false);
                }
            }
            while (running.Count > 0)
            {
                yield return await running.Dequeue().ConfigureAwait(false);
            }
        }
        finally
        {
            // Nothing runs on after the caller has left, and no failure of a later pair goes unobserved.
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(running).ContinueWith(
                static all => _ = all.Exception,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default).ConfigureAwait(false);
        }
    }
}
