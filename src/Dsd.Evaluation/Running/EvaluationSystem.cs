namespace Dsd.Evaluation.Running;

/// <summary>A system's pictures.</summary>
/// <param name="Name">What the system is called.</param>
/// <param name="Items">Its pictures, by key.</param>
public sealed record EvaluationSystem(string Name, IReadOnlyList<EvaluationItem> Items);
