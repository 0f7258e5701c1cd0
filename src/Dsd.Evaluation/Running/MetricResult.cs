namespace Dsd.Evaluation.Running;

/// <summary>The scores of one metric.</summary>
/// <param name="Metric">The metric's name.</param>
/// <param name="Source">What computed it.</param>
/// <param name="Least">The least score that there is.</param>
/// <param name="Most">The largest score that there is.</param>
/// <param name="Systems">The mean of each system.</param>
/// <param name="Differences">What each further system has more than the first, on the pictures that both have.</param>
public sealed record MetricResult(
    string Metric, string Source, double Least, double Most, IReadOnlyList<SystemScore> Systems, IReadOnlyList<SystemDifference> Differences);
