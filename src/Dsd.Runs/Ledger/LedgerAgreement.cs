namespace Dsd.Runs.Ledger;

/// <summary>How often a judge and the people who looked were of one opinion, over the pairs that were looked at.</summary>
/// <param name="BothKept">Kept by the judge, and rightly so.</param>
/// <param name="JudgeOnly">Kept by the judge, against a person's verdict.</param>
/// <param name="PersonOnly">Not kept by the judge, though a person would.</param>
/// <param name="NeitherKept">Not kept by the judge, and rightly so.</param>
public sealed record LedgerAgreement(long BothKept, long JudgeOnly, long PersonOnly, long NeitherKept)
{
    /// <summary>Pairs that were looked at.</summary>
    public long Reviewed => BothKept + JudgeOnly + PersonOnly + NeitherKept;

    /// <summary>Of these, pairs that the judge kept.</summary>
    public long JudgeKept => BothKept + JudgeOnly;

    /// <summary>Of these, pairs that the judge did not keep.</summary>
    public long JudgeLeft => PersonOnly + NeitherKept;
}
