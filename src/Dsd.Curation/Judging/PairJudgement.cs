namespace Dsd.Curation.Judging;

/// <summary>What became of one pair.</summary>
public sealed record PairJudgement
{
    /// <summary>Whether the judge came to a verdict.</summary>
    public required VerdictStatus Status { get; init; }

    /// <summary>The verdict, or null when <see cref="Status"/> is <see cref="VerdictStatus.Undecided"/>.</summary>
    public Verdict? Verdict { get; init; }

    /// <summary>Whether the pair is kept for training: the same subject, sure enough, and no rejected flag.</summary>
    public required bool Kept { get; init; }

    /// <summary>One line that says why the pair is kept or not.</summary>
    public required string Reason { get; init; }

    /// <summary>How often the judge was asked: 1, or 2 after an answer that could not be read.</summary>
    public required int Attempts { get; init; }
}
