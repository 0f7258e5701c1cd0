using Dsd.Curation.Chat;
using Dsd.Dataset.Ledger;

namespace Dsd.Tools.Curate;

/// <summary>Notes in the ledger what a budget has spent, from time to time and at the end: a run that goes on after a crash goes on with the rest of its budget.</summary>
internal sealed class BudgetNote : IAsyncDisposable
{
    private readonly string _session = Guid.NewGuid().ToString("N");
    private readonly RunLedger _ledger;
    private readonly ChatBudget _budget;
    private readonly (long Calls, long Tokens) _before;
    private readonly PeriodicTimer _timer;
    private readonly Task _loop;
    private (long Calls, long Tokens) _noted;

    public BudgetNote(RunLedger ledger, ChatBudget budget, TimeSpan every)
    {
        (_ledger, _budget, _timer) = (ledger, budget, new PeriodicTimer(every));
        _before = (budget.Calls, budget.Tokens);
        _loop = Task.Run(LoopAsync);
    }

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _loop.ConfigureAwait(false);
        await NoteAsync().ConfigureAwait(false);
    }

    private async Task LoopAsync()
    {
        while (await _timer.WaitForNextTickAsync().ConfigureAwait(false))
        {
            await NoteAsync().ConfigureAwait(false);
        }
    }

    private async Task NoteAsync()
    {
        (long Calls, long Tokens) now = (_budget.Calls - _before.Calls, _budget.Tokens - _before.Tokens);
        if (now != _noted)
        {
            await _ledger.WriteSpentAsync(_session, now.Calls, now.Tokens).ConfigureAwait(false);
            _noted = now;
        }
    }
}
