using Dsd.MLNet.Stages.Rows;
using Microsoft.ML;

namespace Dsd.MLNet.Curation;

/// <summary>
/// Reads grids ahead on a thread of its own and has each judged as soon as it is read, so that drawing, judging and using go on at the same time.
/// </summary>
/// <remarks>
/// Grids come out in the order of the source, whichever is judged first, and a failure comes out where its grid would. No more than a set number of
/// grids is held; when so many are, nothing runs until one is let go.
/// </remarks>
internal sealed class GridQueue(DataViewRowCursor source, RowBuffer buffer, int size, Func<CancellationToken, Task<JudgedGrid>> judge) : IDisposable
{
    private readonly object _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<(int Slot, Task<JudgedGrid> Grid)> _grids = new();
    private bool _reading;
    private bool _ended;
    private int _held;
    private int _next;
    private int _current = -1;

    /// <summary>Lets go of the grid from before and waits for the next, which the buffer's row then stands on. Null is the end.</summary>
    public JudgedGrid? Next()
    {
        Task<JudgedGrid> grid;
        lock (_gate)
        {
            LetGo();
            StartReading();
            while (_grids.Count == 0 && _reading)
            {
                Monitor.Wait(_gate);
            }
            if (_grids.Count == 0)
            {
                return null;
            }
            (_current, grid) = _grids.Dequeue();
        }
        try
        {
            JudgedGrid judged = grid.GetAwaiter().GetResult();
            buffer.Slot = _current;
            return judged;
        }
        catch
        {
            Stop();
            throw;
        }
    }

    /// <summary>Ends reading and judging.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _ended = true;
        }
        _stop.Cancel();
        (source as IStoppable)?.Stop();
    }

    /// <summary>Ends it all and waits until nothing runs any more.</summary>
    public void Dispose()
    {
        Stop();
        Task[] running;
        lock (_gate)
        {
            buffer.Slot = -1;
            while (_reading)
            {
                Monitor.Wait(_gate);
            }
            running = [.. _grids.Select(s => s.Grid)];
            _grids.Clear();
        }
        // Nobody waits for their results, so nobody must see their failures.
        Task.WhenAll(running)
            .ContinueWith(static all => _ = all.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default)
            .Wait();
        buffer.Dispose();
        source.Dispose();
    }

    private void LetGo()
    {
        if (_current >= 0)
        {
            (_current, buffer.Slot) = (-1, -1);
            _held--;
        }
    }

    private void StartReading()
    {
        if (!_reading && !_ended && _held < size)
        {
            _reading = true;
            // Drawing blocks for long, so it takes no thread of the pool.
            Task.Factory.StartNew(Read, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    private void Read()
    {
        while (true)
        {
            Task<JudgedGrid>? grid = ReadOne(_next);
            lock (_gate)
            {
                if (grid is not null)
                {
                    _grids.Enqueue((_next, grid));
                    _next = (_next + 1) % size;
                    _held++;
                }
                _ended = _ended || grid is null;
                _reading = !_ended && _held < size;
                Monitor.PulseAll(_gate);
                if (!_reading)
                {
                    return;
                }
            }
        }
    }

    /// <summary>Reads the source's next row into a slot and begins to judge it. Null is the end; a failure is the last that comes.</summary>
    private Task<JudgedGrid>? ReadOne(int slot)
    {
        try
        {
            if (!source.MoveNext())
            {
                return null;
            }
            buffer.Read(slot);
            return judge(_stop.Token);
        }
        catch (Exception e)
        {
            lock (_gate)
            {
                _ended = true;
            }
            return Task.FromException<JudgedGrid>(e);
        }
    }
}
