namespace Dsd.Runs.Reports;

/// <summary>What a threshold leaves of a run's scored pairs.</summary>
/// <param name="Axis">The axis, or 'all' for every axis at once.</param>
/// <param name="Least">The least score that is kept, 0 to 4.</param>
/// <param name="Kept">Pairs that the cut keeps and that reach it.</param>
/// <param name="Share">Of all pairs that were judged.</param>
/// <param name="CostPerKept">What judging and scoring all pairs cost for each pair that is kept; null without prices, or where none is kept.</param>
/// <param name="TokensPerKept">Tokens for each pair that is kept; null where none is.</param>
public sealed record SurvivalPoint(string Axis, int Least, long Kept, double Share, double? CostPerKept, double? TokensPerKept);
