namespace Dsd.Evaluation.Benchmarks.InContext;

/// <summary>Means over the items of a task, or over tasks, on the benchmarks' scale of 0 to 10.</summary>
/// <param name="PromptFollowing">PF.</param>
/// <param name="SubjectConsistency">SC.</param>
/// <param name="Overall">The mean of √(PF · SC) of each item.</param>
/// <param name="Items">How many items have both scores.</param>
public sealed record ContextResult(double PromptFollowing, double SubjectConsistency, double Overall, int Items);
