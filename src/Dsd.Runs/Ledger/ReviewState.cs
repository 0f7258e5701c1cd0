namespace Dsd.Runs.Ledger;

/// <summary>What a person made of a pair.</summary>
public enum ReviewState
{
    /// <summary>Nobody gave a verdict yet.</summary>
    Unreviewed,

    /// <summary>A person gave a verdict.</summary>
    Reviewed,

    /// <summary>A person would keep it.</summary>
    Kept,

    /// <summary>A person would not keep it.</summary>
    Rejected,

    /// <summary>A person says otherwise than the judge.</summary>
    Disagreeing,
}
