using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Evaluation.Agreement;

namespace Dsd.Evaluation.Running;

/// <summary>What a run measured: the content of <c>results.json</c>.</summary>
/// <param name="Metrics">Each metric's scores.</param>
public sealed record EvaluationResults(IReadOnlyList<MetricResult> Metrics)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
        WriteIndented = true,
        NewLine = "\n",
    };

    /// <summary>The tables of the benchmark that the pictures are of, by system and judge; empty where they are of none, or nobody judged.</summary>
    public IReadOnlyList<BenchmarkResult> Benchmarks { get; init; } = [];

    /// <summary>How far each two judges agree on the pictures of all systems, by question; empty with one judge.</summary>
    public IReadOnlyList<JudgeAgreement> Agreement { get; init; } = [];

    /// <summary>The results as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);
}
