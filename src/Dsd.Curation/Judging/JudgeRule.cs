namespace Dsd.Curation.Judging;

/// <summary>How several judges come to one verdict.</summary>
public enum JudgeRule
{
    /// <summary>All are asked, and more than half must keep the pair: see <see cref="VotingRule.Majority"/>.</summary>
    Majority,

    /// <summary>All are asked, and all must keep the pair: see <see cref="VotingRule.Unanimous"/>.</summary>
    Unanimous,

    /// <summary>One after the other, the cheapest first, until one is sure: see <see cref="CascadeJudge"/>.</summary>
    Cascade,
}
