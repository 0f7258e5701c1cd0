namespace Dsd.Lab.Training;

/// <summary>Makes the next few items on other threads while the current one is used; what they are depends on their number alone.</summary>
internal sealed class Ahead<T>
{
    private readonly Func<long, T> _make;
    private readonly int _depth;
    private readonly long _end;
    private readonly Queue<Task<T>> _tasks = new();
    private long _next;

    /// <summary>Begins to make the first items.</summary>
    /// <param name="first">Number of the first item.</param>
    /// <param name="depth">How many are made ahead.</param>
    /// <param name="make">Makes the item of a number.</param>
    /// <param name="end">The number that is no longer made.</param>
    public Ahead(long first, int depth, Func<long, T> make, long end = long.MaxValue)
    {
        (_next, _depth, _make, _end) = (first, depth, make, end);
        Fill();
    }

    /// <summary>The next item, in order.</summary>
    public T Take()
    {
        T item = _tasks.Dequeue().GetAwaiter().GetResult();
        Fill();
        return item;
    }

    /// <summary>What is still in the making, when nothing more will be taken.</summary>
    public IEnumerable<T> Rest()
    {
        while (_tasks.TryDequeue(out Task<T>? task))
        {
            yield return task.GetAwaiter().GetResult();
        }
    }

    private void Fill()
    {
        while (_tasks.Count < _depth && _next < _end)
        {
            long number = _next++;
            _tasks.Enqueue(Task.Run(() => _make(number)));
        }
    }
}
