using Dsd.Runs.Ledger;

namespace Dsd.Review.Serving;

/// <summary>
/// Writes verdicts into a ledger that a run may be writing as well. Each verdict is a transaction of its own, so the run never waits for
/// longer than that; when the ledger cannot be written for half a minute the verdict is refused, and the next one tries anew.
/// </summary>
internal sealed class ReviewWriter(string ledger) : IAsyncDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private RunLedger? _open;
    private bool _disposed;

    /// <summary>Opens the ledger, so that a file that cannot be written is found at once.</summary>
    /// <exception cref="LedgerException">It is no ledger.</exception>
    /// <exception cref="IOException">It cannot be opened to be written.</exception>
    public void Open() => _open ??= RunLedger.OpenStanding(ledger);

    /// <summary>Verdicts written, taken back ones included.</summary>
    public long Written { get; private set; }

    /// <summary>Writes a verdict; null takes it back. Done when it is on disk.</summary>
    /// <exception cref="LedgerException">There is no such pair, or it cannot be read.</exception>
    /// <exception cref="IOException">The ledger cannot be written now; the verdict is not in it.</exception>
    public async Task WriteAsync(string pairId, bool? kept)
    {
        await _one.WaitAsync().ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            Open();
            await _open!.WriteReviewAsync(pairId, kept, DateTimeOffset.UtcNow).ConfigureAwait(false);
            Written++;
        }
        catch (Exception e) when (e is IOException or LedgerException)
        {
            // A ledger that failed once may take nothing more: the next verdict opens it anew.
            if (_open is { } failed)
            {
                _open = null;
                await failed.DisposeAsync().ConfigureAwait(false);
            }
            if (e is LedgerException)
            {
                throw;
            }
            throw new IOException($"The verdict on '{pairId}' is not written: {e.Message}", e);
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _one.WaitAsync().ConfigureAwait(false);
        _disposed = true;
        if (_open is { } open)
        {
            _open = null;
            await open.DisposeAsync().ConfigureAwait(false);
        }
        _one.Release();
    }
}
