using System.Diagnostics;
using System.Threading.RateLimiting;

namespace Dsd.Serving;

/// <summary>Requests take turns in the order in which they came, and only so many may wait.</summary>
internal sealed class ImageQueue(int atOnce, int mostWaiting) : IDisposable
{
    // How much the newest duration counts in the mean, from which the time to wait is guessed.
    private const double Newest = 0.2;

    private readonly ConcurrencyLimiter _turns = new(new ConcurrencyLimiterOptions
    {
        PermitLimit = atOnce,
        QueueLimit = int.MaxValue,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });
    private readonly Lock _gate = new();
    private int _inside;
    private int _drawing;
    private double _seconds = 1;

    /// <summary>Requests that have a place and no turn yet; some are still being uploaded.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _inside - _drawing;
            }
        }
    }

    /// <summary>Requests whose turn it is.</summary>
    public int Drawing
    {
        get
        {
            lock (_gate)
            {
                return _drawing;
            }
        }
    }

    /// <summary>Seconds after which there is room again, as far as one can guess.</summary>
    public int RetryAfter
    {
        get
        {
            lock (_gate)
            {
                return (int)Math.Clamp(Math.Ceiling(_seconds), 1, 600);
            }
        }
    }

    /// <summary>A place in the queue; null if it is full. It is given back when disposed.</summary>
    public Place? TryEnter()
    {
        lock (_gate)
        {
            return _inside < atOnce + mostWaiting ? new Place(this, _inside++) : null;
        }
    }

    public void Dispose() => _turns.Dispose();

    /// <summary>A place in the queue.</summary>
    internal sealed class Place(ImageQueue queue, int before) : IDisposable
    {
        private RateLimitLease? _turn;
        private long _began;

        /// <summary>How many others were in the queue or drawing when this one came.</summary>
        public int Before => before;

        /// <summary>Waits for the turn.</summary>
        public async Task WaitAsync(CancellationToken cancellationToken)
        {
            _turn = await queue._turns.AcquireAsync(1, cancellationToken).ConfigureAwait(false);
            _began = Stopwatch.GetTimestamp();
            lock (queue._gate)
            {
                queue._drawing++;
            }
        }

        public void Dispose()
        {
            lock (queue._gate)
            {
                queue._inside--;
                if (_turn is not null)
                {
                    queue._drawing--;
                    queue._seconds += Newest * (Stopwatch.GetElapsedTime(_began).TotalSeconds - queue._seconds);
                }
            }
            _turn?.Dispose();
        }
    }
}
