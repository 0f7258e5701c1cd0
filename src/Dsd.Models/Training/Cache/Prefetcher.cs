using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Dsd.Models.Training.Cache;

/// <summary>Makes numbered things ahead of their use, on a thread of its own: a few at most, one after the other.</summary>
/// <typeparam name="T">What is made. It must not need to be disposed: things that nobody asks for are dropped.</typeparam>
/// <param name="make">Makes the thing of a number. What it throws is thrown where that thing is asked for.</param>
/// <param name="ahead">How many wait at most, at least 1.</param>
internal sealed class Prefetcher<T>(Func<long, T> make, int ahead) : IDisposable
{
    private Run? _run;
    private long _next;

    /// <summary>The thing of a number. Asked for in turn it is there already; after a jump the making starts anew at that number.</summary>
    public T Get(long number)
    {
        if (_run is null || number != _next)
        {
            _run?.Dispose();
            _run = new Run(make, number, ahead);
        }
        _next = number + 1;
        try
        {
            return _run.Take();
        }
        catch
        {
            // What comes after it was not made: who asks again gets it made again.
            Dispose();
            throw;
        }
    }

    /// <summary>Stops; waits for the thing in the making.</summary>
    public void Dispose()
    {
        _run?.Dispose();
        _run = null;
    }

    private sealed class Run : IDisposable
    {
        private readonly BlockingCollection<(T? Thing, ExceptionDispatchInfo? Error)> _made;
        private readonly CancellationTokenSource _stop = new();
        private readonly Thread _thread;

        public Run(Func<long, T> make, long first, int ahead)
        {
            _made = new BlockingCollection<(T?, ExceptionDispatchInfo?)>(ahead);
            _thread = new Thread(() => Make(make, first)) { IsBackground = true, Name = nameof(Prefetcher<T>) };
            _thread.Start();
        }

        public T Take()
        {
            (T? thing, ExceptionDispatchInfo? error) = _made.Take();
            error?.Throw();
            return thing!;
        }

        public void Dispose()
        {
            _stop.Cancel();
            _thread.Join();
            _stop.Dispose();
            _made.Dispose();
        }

        private void Make(Func<long, T> make, long number)
        {
            try
            {
                for (; ; number++)
                {
                    (T?, ExceptionDispatchInfo?) made;
                    bool failed = false;
                    try
                    {
                        made = (make(number), null);
                    }
                    catch (Exception e)
                    {
                        made = (default, ExceptionDispatchInfo.Capture(e));
                        failed = true;
                    }
                    _made.Add(made, _stop.Token);
                    if (failed)
                    {
                        return;
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // Stopped while the queue was full, or before the first.
            }
        }
    }
}
