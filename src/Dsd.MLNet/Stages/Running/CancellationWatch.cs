using Microsoft.ML.Runtime;

namespace Dsd.MLNet.Stages.Running;

/// <summary>A token that fires when a caller's token does, or when ML.NET cancels the context, as AutoML does at the end of its time.</summary>
/// <remarks>A host raises no event when it is cancelled, so its state is read ten times a second.</remarks>
internal sealed class CancellationWatch : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private readonly CancellationTokenSource _source;
    private readonly Timer? _timer;

    public CancellationWatch(IHost host, CancellationToken cancellationToken)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (host is ICancelable cancelable)
        {
            Ask(cancelable);
            _timer = new Timer(_ => Ask(cancelable), null, Interval, Interval);
        }
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        if (_timer is not null)
        {
            // A question on its way must not come back to a source that is gone.
            using ManualResetEvent stopped = new(false);
            if (_timer.Dispose(stopped))
            {
                stopped.WaitOne();
            }
        }
        _source.Dispose();
    }

    private void Ask(ICancelable cancelable)
    {
        if (cancelable.IsCanceled)
        {
            _source.Cancel();
        }
    }
}
