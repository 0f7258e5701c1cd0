using System.Runtime.CompilerServices;
using Dsd.Common.Options;

namespace Dsd.Curation;

/// <summary>Work on many things at a time whose results come in the order of the things.</summary>
public static class OrderedWork
{
    /// <summary>Works on each thing, so many at a time, and gives the results in the order of the things.</summary>
    /// <param name="things">The things, taken only as there is room to work on them.</param>
    /// <param name="work">The work on one.</param>
    /// <param name="concurrency">How many are worked on at the same time, 1 to 4096.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <remarks>The first failure stops the rest and is thrown. Nothing runs on after the caller has left.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The concurrency is out of range.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static IAsyncEnumerable<TResult> SelectAsync<T, TResult>(
        IEnumerable<T> things, Func<T, CancellationToken, Task<TResult>> work, int concurrency, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(things);
        ArgumentNullException.ThrowIfNull(work);
        OptionCheck.Range(concurrency, 1, 4096, nameof(concurrency));
        return Run(things, work, concurrency, cancellationToken);
    }

    private static async IAsyncEnumerable<TResult> Run<T, TResult>(
        IEnumerable<T> things, Func<T, CancellationToken, Task<TResult>> work, int concurrency, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Queue<Task<TResult>> running = new();
        try
        {
            foreach (T thing in things)
            {
                running.Enqueue(Task.Run(() => work(thing, stop.Token), stop.Token));
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
            // Nothing runs on after the caller has left, and no failure of a later piece goes unobserved.
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(running).ContinueWith(
                static all => _ = all.Exception,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default).ConfigureAwait(false);
        }
    }
}
