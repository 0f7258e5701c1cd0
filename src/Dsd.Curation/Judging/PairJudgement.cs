namespace Dsd.Curation.Judging;

/// <summary>What became of one pair.</summary>
public sealed record PairJudgement
{
    /// <summary>Whether the judge came to a verdict.</summary>
    public required VerdictStatus Status { get; init; }

    /// <summary>The verdict, or null when <see cref="Status"/> is not <see cref="VerdictStatus.Decided"/>.</summary>
    public Verdict? Verdict { get; init; }

    /// <summary>Whether the pair is kept for training: the same subject, sure enough, and no rejected flag.</summary>
    public required bool Kept { get; init; }

    /// <summary>How sure the judge is of what the verdict says, 0 to 1; NaN where there is none.</summary>
    public double Confidence { get; init; } = double.NaN;

    /// <summary>One line that says why the pair is kept or not.</summary>
    public required string Reason { get; init; }

    /// <summary>What each model that was asked said, in the order of asking.</summary>
    public required IReadOnlyList<JudgeVote> Votes { get; init; }

    /// <summary>How often models were asked, repeats after unreadable answers included.</summary>
    public int Attempts => Votes.Sum(v => v.Attempts);
}
