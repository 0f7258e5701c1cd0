using Dsd.Curation.Judging;
using Dsd.Runs.Ledger;

namespace Dsd.Runs;

/// <summary>Scores of judged metrics in a ledger: what was asked before is not asked again, by whichever process goes on with it.</summary>
/// <param name="ledger">The ledger, open to write. It stays the caller's.</param>
public sealed class LedgerScores(RunLedger ledger) : IScoreStore
{
    private readonly RunLedger _ledger = ledger ?? throw new ArgumentNullException(nameof(ledger));

    /// <inheritdoc/>
    /// <remarks>A row that cannot be read is none: it is asked for again, and written over.</remarks>
    public Task<JudgedScore?> FindAsync(string item, string metric, int repeat, string judge)
    {
        try
        {
            return Task.FromResult(_ledger.ScoreOf(item, metric, repeat, judge));
        }
        catch (LedgerException e) when (e.ConcernsOneRow)
        {
            return Task.FromResult<JudgedScore?>(null);
        }
    }

    /// <inheritdoc/>
    public Task WriteAsync(JudgedScore score) => _ledger.WriteScoreAsync(score);
}
