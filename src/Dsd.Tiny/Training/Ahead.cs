namespace Dsd.Tiny.Training;

/// <summary>Makes the next few items on other threads while the current one is used; what they are depends on their number alone.</summary>
internal sealed class Ahead<T>
{
    private readonly Func<long, T> _make;
    private readonly int _depth;
    private readonly Queue<Task<T>> _tasks = new();
    private long _next;

    public Ahead(long first, int depth, Func<long, T> make)
    {
        (_next, _depth, _make) = (first, depth, make);
        Fill();
    }

    /// <summary>The next item, in order.</summary>
    public T Take()
    {
        T item = _tasks.Dequeue().GetAwaiter().GetResult();
        Fill();
        return item;
    }

    private void Fill()
    {
        while (_tasks.Count < _depth)
        {
            long number = _next++;
            _tasks.Enqueue(Task.Run(() => _make(number)));
        }
    }
}
