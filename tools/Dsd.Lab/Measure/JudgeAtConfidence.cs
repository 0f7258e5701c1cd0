namespace Dsd.Lab.Measure;

/// <summary>A judge's figures where pairs are kept only if it calls them the same with so much confidence.</summary>
/// <param name="LeastConfidence">The least confidence; at 0 the judge's own threshold decides alone.</param>
/// <param name="Figures">What came out. The threshold in it is the judge's own.</param>
internal sealed record JudgeAtConfidence(double LeastConfidence, JudgeFigures Figures);
