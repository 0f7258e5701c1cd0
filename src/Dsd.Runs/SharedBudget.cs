using Dsd.Curation.Chat;

namespace Dsd.Runs;

/// <summary>
/// Keeps one budget for all sessions and processes of a run: notes in its store what this one has spent, from time to time and at the end,
/// and learns there what others have. Between two notes each may spend more than is left, by what it asks in that time; and what a killed
/// process spent since its last note is not counted.
/// </summary>
public sealed class SharedBudget : IAsyncDisposable
{
    // Nobody waits longer for the last note where the store is at another's end, and gone.
    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(5);

    private readonly string _session = Guid.NewGuid().ToString("N");
    private readonly IRunStore _store;
    private readonly ChatBudget _budget;
    private readonly PeriodicTimer _timer;
    private readonly Task _loop;
    private (long Calls, long Tokens) _noted;

    private SharedBudget(IRunStore store, ChatBudget budget, TimeSpan every)
    {
        (_store, _budget, _timer) = (store, budget, new PeriodicTimer(every));
        _loop = Task.Run(LoopAsync);
    }

    /// <summary>Takes over what has been spent elsewhere, and begins to note.</summary>
    /// <param name="store">The run's store. It stays the caller's, and must outlive this.</param>
    /// <param name="budget">The budget, of this process alone so far.</param>
    /// <param name="every">How often to note; null for once a second.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="every"/> is not above 0.</exception>
    public static async Task<SharedBudget> StartAsync(IRunStore store, ChatBudget budget, TimeSpan? every = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(budget);
        SharedBudget shared = new(store, budget, every ?? TimeSpan.FromSeconds(1));
        try
        {
            await shared.NoteAsync().ConfigureAwait(false);
        }
        catch
        {
            await shared.StopAsync().ConfigureAwait(false);
            throw;
        }
        return shared;
    }

    /// <summary>
    /// Notes at once what was spent since the last note. A store that cannot be reached any more is no fault of this: the run has met it
    /// too.
    /// </summary>
    public async Task NoteNowAsync()
    {
        if (_noted != (_budget.Calls, _budget.Tokens))
        {
            await TryNoteAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Notes a last time, as <see cref="NoteNowAsync"/> does.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        await NoteNowAsync().ConfigureAwait(false);
    }

    private async Task StopAsync()
    {
        _timer.Dispose();
        await Task.WhenAny(_loop, Task.Delay(Goodbye)).ConfigureAwait(false);
    }

    private async Task LoopAsync()
    {
        while (await _timer.WaitForNextTickAsync().ConfigureAwait(false))
        {
            await TryNoteAsync().ConfigureAwait(false);
        }
    }

    private async Task TryNoteAsync()
    {
        try
        {
            await NoteAsync().WaitAsync(Goodbye).ConfigureAwait(false);
        }
        catch (Exception)
        {
        }
    }

    private async Task NoteAsync()
    {
        (long calls, long tokens) = (_budget.Calls, _budget.Tokens);
        (long allCalls, long allTokens) = await _store.SpendAsync(_session, calls, tokens).ConfigureAwait(false);
        _budget.Elsewhere = (allCalls - calls, allTokens - tokens);
        _noted = (calls, tokens);
    }
}
