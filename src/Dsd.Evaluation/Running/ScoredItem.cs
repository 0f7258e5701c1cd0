namespace Dsd.Evaluation.Running;

/// <summary>A picture with its scores.</summary>
/// <param name="System">The system that made it.</param>
/// <param name="Item">The picture.</param>
/// <param name="Scores">A score for each metric, in their order; null where there is none.</param>
/// <param name="Answers">What a judge gave for each metric, in its repeats; null where it asks none or there is no score.</param>
internal sealed record ScoredItem(
    string System, EvaluationItem Item, IReadOnlyList<double?> Scores, IReadOnlyList<IReadOnlyList<int?>?> Answers);
