using System.Text.Json;
using System.Text.Json.Serialization;

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

    /// <summary>The results as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);
}
