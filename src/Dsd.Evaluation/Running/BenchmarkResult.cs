namespace Dsd.Evaluation.Running;

/// <summary>A benchmark's table of one system by one judge.</summary>
/// <param name="Benchmark">The benchmark.</param>
/// <param name="System">The system.</param>
/// <param name="Judge">Who scored.</param>
/// <param name="Figures">The table.</param>
public sealed record BenchmarkResult(string Benchmark, string System, string Judge, IReadOnlyList<BenchmarkFigure> Figures);
