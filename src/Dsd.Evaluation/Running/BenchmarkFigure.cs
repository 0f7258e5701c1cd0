namespace Dsd.Evaluation.Running;

/// <summary>A number of a benchmark's table.</summary>
/// <param name="Figure">What it is, such as <c>cp</c>.</param>
/// <param name="Of">Of what: <c>all</c>, or a part such as a category.</param>
/// <param name="Value">The number, on the benchmark's scale.</param>
/// <param name="Deviation">The standard deviation over the repeats; null where the benchmark has none, or with fewer than two repeats.</param>
/// <param name="Low">The lower end of the 95 % interval (bootstrap over items); null where the benchmark goes by deviations.</param>
/// <param name="High">The upper end; null likewise.</param>
/// <param name="Items">How many items it is of.</param>
public sealed record BenchmarkFigure(
    string Figure, string Of, double Value, double? Deviation = null, double? Low = null, double? High = null, int Items = 0)
{
    /// <summary>What <see cref="Of"/> is over all items.</summary>
    public const string All = "all";
}
