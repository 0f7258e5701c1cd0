namespace Dsd.MLNet.Stages.Running;

/// <summary>A costly object that is loaded when it is first used, used by one thread at a time, and disposed once.</summary>
internal sealed class SharedModel<T>(string owner, Func<CancellationToken, T> load) : IDisposable
    where T : class, IDisposable
{
    private readonly Lock _gate = new();
    private T? _model;
    private bool _disposed;

    /// <summary>Uses the object. Cursors of several threads may come at once; they take turns.</summary>
    /// <exception cref="ObjectDisposedException">The transformer that owns it was disposed.</exception>
    public TResult Use<TResult>(CancellationToken cancellationToken, Func<T, TResult> use)
    {
        lock (_gate)
        {
            if (_disposed)
            {
                throw new ObjectDisposedException(owner);
            }
            cancellationToken.ThrowIfCancellationRequested();
            _model ??= load(cancellationToken);
            return use(_model);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _model?.Dispose();
            _model = null;
        }
    }
}
