using Dsd.Curation.Judging;
using Dsd.Runs.Ledger;

namespace Dsd.Runs;

/// <summary>Scores of judged metrics in a ledger: what was asked before is not asked again, by whichever process goes on with it.</summary>
/// <param name="ledger">The ledger, open to write. It stays the caller's.</param>
public sealed class LedgerScores(RunLedger ledger) : IScoreStore
{
    private readonly RunLedger _ledger = ledger ?? throw new ArgumentNullException(nameof(ledger));

    /// <inheritdoc/>
    /// <exception cref="LedgerException">The row cannot be read.</exception>
    public Task<JudgedScore?> FindAsync(string item, string metric, int repeat, string judge) => Task.FromResult(_ledger.ScoreOf(item, metric, repeat, judge));

    /// <inheritdoc/>
    public Task WriteAsync(JudgedScore score) => _ledger.WriteScoreAsync(score);
}
