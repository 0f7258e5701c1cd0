namespace Dsd.Curation.Judging;

/// <summary>When several judges keep a pair together.</summary>
public enum VotingRule
{
    /// <summary>More than half of all judges would keep it. A judge without a verdict counts against it.</summary>
    Majority,

    /// <summary>All judges would keep it.</summary>
    Unanimous,
}
