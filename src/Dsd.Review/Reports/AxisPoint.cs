using Dsd.Curation.Axes;

namespace Dsd.Review.Reports;

/// <summary>What a threshold on one axis alone would do, measured by people's verdicts.</summary>
/// <param name="Axis">The axis.</param>
/// <param name="Least">The least score that is kept, 0 to 4.</param>
/// <param name="Precision">Of the pairs kept then, those that people keep.</param>
/// <param name="Recall">Of the pairs that people keep, those kept then.</param>
public sealed record AxisPoint(PairAxis Axis, int Least, Proportion Precision, Proportion Recall)
{
    /// <summary>The harmonic mean of precision and recall; null where one is not known or both are 0.</summary>
    public double? F1 => Precision.Value is { } p && Recall.Value is { } r && p + r > 0 ? 2 * p * r / (p + r) : null;
}
