using Dsd.Runs.Ledger;

namespace Dsd.Review.Reports;

/// <summary>A judge measured by people's verdicts, over the pairs that they looked at.</summary>
/// <param name="Judge">The judge's name.</param>
/// <param name="Counts">How often both were of one opinion. A pair on which the judge could not be understood counts as not kept.</param>
/// <param name="Undecided">Of the pairs looked at, those on which the judge could not be understood.</param>
/// <param name="Thresholds">What other thresholds would have done, in rising order; none where one side only was looked at.</param>
public sealed record JudgeScore(string Judge, LedgerAgreement Counts, long Undecided, IReadOnlyList<ThresholdPoint> Thresholds)
{
    /// <summary>Which of the judge's pairs people looked at.</summary>
    public ReviewedSide Side => (Counts.JudgeKept, Counts.JudgeLeft) switch
    {
        (0, 0) => ReviewedSide.None,
        (_, 0) => ReviewedSide.KeptOnly,
        (0, _) => ReviewedSide.LeftOnly,
        _ => ReviewedSide.Both,
    };

    /// <summary>Of the pairs looked at, those on which both agree.</summary>
    public Proportion Agreement => new(Counts.BothKept + Counts.NeitherKept, Counts.Reviewed);

    /// <summary>Of the pairs that the judge kept, those that people keep. Of none where no kept pair was looked at.</summary>
    public Proportion Precision => new(Counts.BothKept, Counts.JudgeKept);

    /// <summary>Of the pairs that people keep, those that the judge kept. Of none unless pairs of both kinds were looked at.</summary>
    public Proportion Recall => Side == ReviewedSide.Both ? new(Counts.BothKept, Counts.BothKept + Counts.PersonOnly) : new(0, 0);

    /// <summary>The harmonic mean of precision and recall; null unless pairs of both kinds were looked at and some were kept by either.</summary>
    /// <remarks>F1 rises with the share of common keeps among all that either keeps, so that share's interval gives F1's.</remarks>
    public Estimate? F1
    {
        get
        {
            Proportion common = Side == ReviewedSide.Both ? new(Counts.BothKept, Counts.BothKept + Counts.JudgeOnly + Counts.PersonOnly) : new(0, 0);
            return common.Value is { } value ? new Estimate(OfCommon(value), OfCommon(common.Low!.Value), OfCommon(common.High!.Value)) : null;
        }
    }

    private static double OfCommon(double share) => 2 * share / (1 + share);
}
