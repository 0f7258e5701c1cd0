namespace Dsd.Review.Reports;

/// <summary>
/// What a threshold on the confidence alone would do: pairs that the judge calls the same subject with at least this confidence are kept,
/// flags are not heeded.
/// </summary>
/// <param name="Threshold">The least confidence, 0 to 1.</param>
/// <param name="Precision">Of the pairs kept then, those that people keep.</param>
/// <param name="Recall">Of the pairs that people keep, those kept then.</param>
public sealed record ThresholdPoint(double Threshold, Proportion Precision, Proportion Recall);
