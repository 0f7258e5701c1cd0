using Dsd.Curation.Judging;

namespace Dsd.Evaluation.Running;

/// <summary>The table that a benchmark makes of one system's judged scores.</summary>
/// <param name="Name">What the benchmark is called.</param>
/// <param name="Figures">Makes the figures from the scores of one judge, whose items are the pictures' keys.</param>
public sealed record SystemBenchmark(string Name, Func<IReadOnlyList<JudgedScore>, IReadOnlyList<BenchmarkFigure>> Figures);
