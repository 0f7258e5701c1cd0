using Dsd.Runs.Ledger;

namespace Dsd.Cluster.Queue;

/// <summary>
/// Hands captions out to workers and takes them back from those that are lost. What is done stands in the ledger alone, so nothing here has
/// to survive the process; and only captions that are out or came back are in memory, so the source may be of any length.
/// </summary>
internal sealed class CaptionQueue : IAsyncDisposable
{
    private readonly CurationClusterOptions _options;
    private readonly TimeProvider _time;
    private readonly IProgress<ClusterProgress>? _progress;
    private readonly IAsyncEnumerator<SeedCaption> _source;
    private readonly CancellationTokenSource _closed = new();
    private readonly SemaphoreSlim _reading = new(1, 1);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _open = [];
    private readonly Queue<Entry> _returned = new();
    private readonly List<SeedCaption> _givenUp = [];
    private readonly Dictionary<string, Worker> _workers = [];
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _deserted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _sourceEnded;
    private ClusterProgress _counts = new(0, 0, 0, 0, 0, 0);

    public CaptionQueue(IAsyncEnumerable<SeedCaption> captions, CurationClusterOptions options, TimeProvider time, IProgress<ClusterProgress>? progress = null)
    {
        (_options, _time, _progress) = (options, time, progress);
        _source = captions.GetAsyncEnumerator(_closed.Token);
    }

    /// <summary>Done when all captions are through; failed where the source or the store failed, cancelled where the queue was stopped.</summary>
    public Task Done => _done.Task;

    /// <summary>Done when, after <see cref="Done"/>, all workers have left.</summary>
    public Task Deserted => _deserted.Task;

    public ClusterProgress Counts
    {
        get
        {
            lock (_gate)
            {
                return Count();
            }
        }
    }

    /// <summary>Captions that too many workers were lost with.</summary>
    public IReadOnlyList<SeedCaption> GivenUp
    {
        get
        {
            lock (_gate)
            {
                return [.. _givenUp];
            }
        }
    }

    public async Task<LeaseReply> LeaseAsync(string worker, int most)
    {
        // One reads at a time; those that renew and complete do not wait for the source.
        await _reading.WaitAsync(_closed.Token).ConfigureAwait(false);
        try
        {
            List<SeedCaption> captions = [];
            lock (_gate)
            {
                Expire();
                Seen(worker);
                while (captions.Count < most && !_done.Task.IsCompleted && _returned.TryDequeue(out Entry? entry))
                {
                    Give(entry, worker);
                    captions.Add(entry.Caption);
                }
            }
            while (captions.Count < most && !_sourceEnded && !_done.Task.IsCompleted)
            {
                if (await _source.MoveNextAsync().ConfigureAwait(false))
                {
                    if (Take(_source.Current, worker))
                    {
                        captions.Add(_source.Current);
                    }
                }
                else
                {
                    lock (_gate)
                    {
                        _sourceEnded = true;
                    }
                }
            }
            return new LeaseReply([.. captions], Settle());
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Fail(e);
            return new LeaseReply([], QueueState.Stopped);
        }
        finally
        {
            _reading.Release();
        }
    }

    public QueueState Renew(string worker, IReadOnlyList<string> keys, bool hasMoved)
    {
        lock (_gate)
        {
            if (hasMoved)
            {
                Seen(worker).LastMove = _time.GetTimestamp();
            }
            Expire();
            Seen(worker);
            foreach (string key in keys)
            {
                if (_open.TryGetValue(key, out Entry? entry) && entry.Worker == worker)
                {
                    entry.Renewed = _time.GetTimestamp();
                }
            }
        }
        return Settle();
    }

    public void Complete(string worker, string key, bool whole)
    {
        lock (_gate)
        {
            Seen(worker).LastMove = _time.GetTimestamp();
            if (!_open.TryGetValue(key, out Entry? entry) || entry.Worker != worker)
            {
                return;
            }
            _open.Remove(key);
            _counts = _counts with { Captions = _counts.Captions + 1, Failed = _counts.Failed + (whole ? 0 : 1) };
        }
        Settle();
    }

    /// <summary>A worker goes, or is lost: what it holds returns.</summary>
    public void Leave(string worker, bool isLost)
    {
        lock (_gate)
        {
            _workers.Remove(worker);
            foreach (Entry entry in _open.Values.Where(e => e.Worker == worker).ToArray())
            {
                Return(entry, isLost);
            }
        }
        Settle();
    }

    /// <summary>Ends the run: what workers do now has nowhere to go.</summary>
    public void Fail(Exception fault)
    {
        _done.TrySetException(fault);
        Settle();
    }

    /// <summary>Ends the run before all is done; workers hear it when they next ask.</summary>
    public void Stop()
    {
        _done.TrySetCanceled();
        Settle();
    }

    public async ValueTask DisposeAsync()
    {
        Stop();
        await _closed.CancelAsync().ConfigureAwait(false);
        await _reading.WaitAsync().ConfigureAwait(false);
        await _source.DisposeAsync().ConfigureAwait(false);
    }

    private bool Take(SeedCaption caption, string worker)
    {
        lock (_gate)
        {
            if (_open.TryGetValue(caption.Key, out Entry? known))
            {
                // The same caption a second time is no work; the ledger would say so too.
                return known.Caption == caption
                    ? false
                    : throw new ArgumentException(
                        $"Captions: key '{caption.Key}' names '{known.Caption.Caption}' and '{caption.Caption}'. Give each caption a key of its own.");
            }
            Entry entry = new(caption);
            _open.Add(caption.Key, entry);
            Give(entry, worker);
            return true;
        }
    }

    private void Give(Entry entry, string worker) => (entry.Worker, entry.Given, entry.Renewed) = (worker, _time.GetTimestamp(), _time.GetTimestamp());

    private Worker Seen(string name)
    {
        if (!_workers.TryGetValue(name, out Worker? worker))
        {
            _workers.Add(name, worker = new Worker { LastMove = _time.GetTimestamp() });
        }
        worker.LastSeen = _time.GetTimestamp();
        return worker;
    }

    private void Expire()
    {
        foreach (Entry entry in _open.Values.Where(IsOver).ToArray())
        {
            Return(entry, isLost: true);
        }
        foreach (string name in _workers.Where(w => _time.GetElapsedTime(w.Value.LastSeen) > _options.LeaseTime).Select(w => w.Key).ToArray())
        {
            _workers.Remove(name);
        }
    }

    private bool IsOver(Entry entry) =>
        entry.Worker is { } name
        && (_time.GetElapsedTime(entry.Renewed) > _options.LeaseTime
            || (_workers.TryGetValue(name, out Worker? worker) && _time.GetElapsedTime(Math.Max(worker.LastMove, entry.Given)) > _options.StallTime));

    private void Return(Entry entry, bool isLost)
    {
        entry.Worker = null;
        entry.Losses += isLost ? 1 : 0;
        _counts = _counts with { Returned = _counts.Returned + 1 };
        if (entry.Losses < _options.MostLosses)
        {
            _returned.Enqueue(entry);
            return;
        }
        _open.Remove(entry.Caption.Key);
        _givenUp.Add(entry.Caption);
    }

    private QueueState Settle()
    {
        ClusterProgress now;
        QueueState state;
        lock (_gate)
        {
            if (_sourceEnded && _open.Count == 0)
            {
                _done.TrySetResult();
            }
            state = !_done.Task.IsCompleted ? QueueState.Open : _done.Task.IsCompletedSuccessfully ? QueueState.Finished : QueueState.Stopped;
            if (state != QueueState.Open && _workers.Count == 0)
            {
                _deserted.TrySetResult();
            }
            now = Count();
        }
        _progress?.Report(now);
        return state;
    }

    private ClusterProgress Count() => _counts with { Leased = _open.Count - _returned.Count, GivenUp = _givenUp.Count, Workers = _workers.Count };

    private sealed class Entry(SeedCaption caption)
    {
        public SeedCaption Caption => caption;

        /// <summary>Who holds it; null where it waits.</summary>
        public string? Worker { get; set; }

        public long Given { get; set; }

        public long Renewed { get; set; }

        public int Losses { get; set; }
    }

    private sealed class Worker
    {
        public long LastSeen { get; set; }

        public long LastMove { get; set; }
    }
}
