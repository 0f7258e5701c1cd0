namespace Dsd.Evaluation.Running;

/// <summary>A paired difference of two systems: of each picture that both have, the one's score less the other's.</summary>
/// <param name="System">The one.</param>
/// <param name="Against">The other.</param>
/// <param name="Difference">The mean difference with its interval over subjects; an interval without 0 tells the systems apart.</param>
public sealed record SystemDifference(string System, string Against, ScoreSummary Difference);
