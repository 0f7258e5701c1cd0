namespace Dsd.Evaluation.Running;

/// <summary>How far an <see cref="EvaluationRun"/> is.</summary>
/// <param name="Done">Pictures of all systems that have their scores.</param>
/// <param name="All">Pictures of all systems.</param>
public sealed record EvaluationProgress(int Done, int All);
