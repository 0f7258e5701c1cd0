namespace Dsd.Runs.Ledger;

/// <summary>What the judge made of the pairs of a ledger, whatever people said.</summary>
/// <param name="Kept">Pairs kept.</param>
/// <param name="Rejected">Pairs judged and not kept, those with them that a gate kept from the judge.</param>
/// <param name="Undecided">Pairs on which no judge could be understood.</param>
public sealed record LedgerOutcomes(long Kept, long Rejected, long Undecided)
{
    /// <summary>All pairs.</summary>
    public long Pairs => Kept + Rejected + Undecided;
}
