namespace Dsd.Runs.Ledger;

/// <summary>What a judge made of a pair.</summary>
public enum JudgeOutcome
{
    /// <summary>It is kept.</summary>
    Kept,

    /// <summary>It was judged, and is not kept, or a gate kept it from the judge.</summary>
    Rejected,

    /// <summary>The judge could not be understood; such a pair is never kept.</summary>
    Undecided,
}
