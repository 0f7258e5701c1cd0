namespace Dsd.Evaluation.Running;

/// <summary>A picture with its scores.</summary>
/// <param name="System">The system that made it.</param>
/// <param name="Item">The picture.</param>
/// <param name="Scores">A score for each metric, in their order; null where there is none.</param>
internal sealed record ScoredItem(string System, EvaluationItem Item, IReadOnlyList<double?> Scores);
