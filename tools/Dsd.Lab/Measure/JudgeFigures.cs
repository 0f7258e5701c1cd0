using Dsd.Evaluation.Metrics;

namespace Dsd.Lab.Measure;

/// <summary>How well a judge's verdicts fit what is known about pairs of pictures, at its default threshold.</summary>
/// <param name="Threshold">The least probability of one subject at which the judge says so.</param>
/// <param name="Pairs">The pairs that were judged.</param>
/// <param name="Same">Those that show one subject.</param>
/// <param name="Kept">Those that the judge called the same.</param>
/// <param name="Right">Those of one subject that the judge called the same.</param>
/// <param name="Named">Differences that the judge named between two subjects; 0 where the differences are not known.</param>
/// <param name="NamedTruly">Those of them that are true, colours and all, word for word.</param>
/// <param name="Explained">Pairs of two subjects of which at least one true difference was named.</param>
internal sealed record JudgeFigures(double Threshold, int Pairs, int Same, int Kept, int Right, int Named = 0, int NamedTruly = 0, int Explained = 0)
{
    /// <summary>Of the pairs that were kept, the share that shows one subject; null where none was kept.</summary>
    public double? Precision => Kept == 0 ? null : (double)Right / Kept;

    /// <summary>Of the pairs that show one subject, the share that was kept; null where there is none.</summary>
    public double? Recall => Same == 0 ? null : (double)Right / Same;

    /// <summary><see cref="Precision"/> with its 95 % interval; null where none was kept.</summary>
    public Interval? PrecisionInterval => Interval.OfShare(Right, Kept);

    /// <summary><see cref="Recall"/> with its 95 % interval; null where no pair shows one subject.</summary>
    public Interval? RecallInterval => Interval.OfShare(Right, Same);

    /// <summary>Of the differences that were named, the share that is true; null where none was named.</summary>
    public double? TruthOfReasons => Named == 0 ? null : (double)NamedTruly / Named;

    /// <summary>Of the pairs of two subjects, the share of which a true difference was named; null where the differences are not known.</summary>
    public double? ExplainedShare => Named == 0 || Same == Pairs ? null : (double)Explained / (Pairs - Same);
}
