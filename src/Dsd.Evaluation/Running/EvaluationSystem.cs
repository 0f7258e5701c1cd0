namespace Dsd.Evaluation.Running;

/// <summary>A system's pictures.</summary>
/// <param name="Name">What the system is called.</param>
/// <param name="Items">Its pictures, by key.</param>
public sealed record EvaluationSystem(string Name, IReadOnlyList<EvaluationItem> Items)
{
    /// <summary>The benchmark that the pictures are of, for its own table; null, the default, where they are of none.</summary>
    public SystemBenchmark? Benchmark { get; init; }
}
