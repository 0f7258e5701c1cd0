using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Dsd.Cluster.Queue;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Runs;
using Dsd.Runs.Ledger;

namespace Dsd.Cluster.Hosting;

/// <summary>The very run of one machine, over captions that are leased and a store that may be elsewhere.</summary>
internal sealed class LeasedRun(IQueueGrain queue, IRunStore store, string worker, Eviction eviction, CurationClusterOptions options)
{
    private readonly PatientCalls _calls = new(options.Patience, eviction);
    private readonly ConcurrentDictionary<string, bool> _held = new();
    private int _hasMoved;

    /// <summary>Called before the worker says goodbye: after that the coordinator waits for it no longer.</summary>
    public Func<Task>? Leaving { get; init; }

    public async Task<RunProgress> RunAsync(
        RunOptions run,
        IGridPromptWriter writer,
        IGridTeacher teacher,
        IPairJudge judge,
        PanelCaptioner? captioner,
        IProgress<RunProgress>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (run.Shard != Shard.Whole)
        {
            throw new ArgumentException(
                $"Option {nameof(run.Shard)} must be the whole for a worker of a cluster, which is given its captions by the coordinator, but is {run.Shard}.",
                nameof(run));
        }
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        CurationRun work = new(store, run, writer, teacher, judge, captioner) { Progress = new Moves(this, progress), CaptionDone = DoneAsync };
        Task<ClusterException?> watch = WatchAsync(stop);
        try
        {
            return await work.RunAsync(LeasedAsync(stop.Token), stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (
            e is not ClusterException && !cancellationToken.IsCancellationRequested && (watch.IsCompleted || stop.IsCancellationRequested))
        {
            // The watch has stopped the run, or a call fell with the silo: what it saw is the reason. The run may end before the watch, which stopped it, does.
            throw await watch.ConfigureAwait(false) ?? e;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await watch.ConfigureAwait(false);
            await (Leaving?.Invoke() ?? Task.CompletedTask).ConfigureAwait(false);
            await LeaveAsync().ConfigureAwait(false);
        }
    }

    private async IAsyncEnumerable<SeedCaption> LeasedAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        while (true)
        {
            LeaseReply reply = await _calls.MakeAsync(() => queue.LeaseAsync(worker, options.LeaseSize), cancel).ConfigureAwait(false);
            foreach (SeedCaption caption in reply.Captions)
            {
                _held[caption.Key] = true;
            }
            foreach (SeedCaption caption in reply.Captions)
            {
                yield return caption;
            }
            if (reply.State == QueueState.Finished)
            {
                yield break;
            }
            if (reply.Captions.Length == 0)
            {
                await Task.Delay(options.Pause, cancel).ConfigureAwait(false);
            }
        }
    }

    private async Task DoneAsync(SeedCaption caption, bool whole)
    {
        _held.TryRemove(caption.Key, out _);
        await _calls.MakeAsync(() => queue.CompleteAsync(worker, caption.Key, whole)).ConfigureAwait(false);
    }

    /// <summary>
    /// Tells that this worker lives, until the run ends; ends it itself where the coordinator has ended, is gone, or has forgotten this
    /// silo.
    /// </summary>
    private async Task<ClusterException?> WatchAsync(CancellationTokenSource stop)
    {
        ClusterException? fault = null;
        try
        {
            while (fault is null)
            {
                await Task.WhenAny(eviction.Reason, Task.Delay(options.Heartbeat, stop.Token)).ConfigureAwait(false);
                stop.Token.ThrowIfCancellationRequested();
                if (eviction.Reason.IsCompleted)
                {
                    fault = new ClusterException(
                        "This worker is no member of the cluster any more, and what it held has gone to others: "
                        + $"{await eviction.Reason.ConfigureAwait(false)}. Start it again.");
                }
                else if (await _calls.MakeAsync(() => RenewAsync(), stop.Token).ConfigureAwait(false) == QueueState.Stopped)
                {
                    fault = new ClusterException(
                        "The coordinator was stopped before all captions were through. What was done is in its ledger: start it again, then the workers.");
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception e)
        {
            fault = e as ClusterException ?? new ClusterException($"The coordinator cannot be reached any more: {e.Message}", e);
        }
        await stop.CancelAsync().ConfigureAwait(false);
        return fault;
    }

    private Task<QueueState> RenewAsync()
    {
        bool hasMoved = Interlocked.Exchange(ref _hasMoved, 0) == 1;
        return queue.RenewAsync(worker, [.. _held.Keys], hasMoved);
    }

    // Politeness only: who does not say goodbye is missed after the lease time.
    private async Task LeaveAsync()
    {
        if (!eviction.Reason.IsCompleted)
        {
            try
            {
                await queue.LeaveAsync(worker).WaitAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OrleansException or TimeoutException or ObjectDisposedException)
            {
            }
        }
    }

    /// <summary>Notes that work ends here and there: who only says that it lives may hang.</summary>
    private sealed class Moves(LeasedRun run, IProgress<RunProgress>? next) : IProgress<RunProgress>
    {
        public void Report(RunProgress value)
        {
            Volatile.Write(ref run._hasMoved, 1);
            next?.Report(value);
        }
    }
}
