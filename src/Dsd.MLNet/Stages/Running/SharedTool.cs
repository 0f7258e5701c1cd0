namespace Dsd.MLNet.Stages.Running;

/// <summary>Something that is made when it is first used, used by several threads at once, and released after the last of them.</summary>
/// <param name="owner">What owns it.</param>
/// <param name="make">Makes it, and names what must be disposed with it, if anything.</param>
internal sealed class SharedTool<T>(string owner, Func<(T Tool, IDisposable? Owned)> make) : IDisposable
    where T : class
{
    private readonly Lock _gate = new();
    private (T Tool, IDisposable? Owned)? _made;
    private int _users;
    private bool _disposed;

    /// <summary>Uses it.</summary>
    /// <exception cref="ObjectDisposedException">The transformer that owns it was disposed.</exception>
    public async Task<TResult> UseAsync<TResult>(Func<T, Task<TResult>> use)
    {
        T tool = Enter();
        try
        {
            return await use(tool).ConfigureAwait(false);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Nobody comes in any more; those who are in finish first.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
        }
        Release();
    }

    private T Enter()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                throw new ObjectDisposedException(owner);
            }
            _made ??= make();
            _users++;
            return _made.Value.Tool;
        }
    }

    private void Leave()
    {
        lock (_gate)
        {
            _users--;
        }
        Release();
    }

    private void Release()
    {
        IDisposable? owned;
        lock (_gate)
        {
            if (!_disposed || _users > 0)
            {
                return;
            }
            owned = _made?.Owned;
            _made = null;
        }
        owned?.Dispose();
    }
}
