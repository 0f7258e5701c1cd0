namespace Dsd.Runs.Reports;

/// <summary>What of a run has reached a stage.</summary>
/// <param name="Name">The stage.</param>
/// <param name="Count">How many.</param>
/// <param name="Share">Of the pairs that were judged; null for stages before them.</param>
public sealed record SurvivalStage(string Name, long Count, double? Share);
