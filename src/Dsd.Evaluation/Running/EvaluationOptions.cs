using Dsd.Common.Options;

namespace Dsd.Evaluation.Running;

/// <summary>How an <see cref="EvaluationRun"/> works and reports.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Pictures that are loaded and scored together, 1 to 1024. A run that is cut off loses no more than these. Default 16.</summary>
    public int BatchSize { get; init => field = OptionCheck.Range(value, 1, 1024, nameof(BatchSize)); } = 16;

    /// <summary>How many of the best and of the worst pictures of a metric and system the report shows, 0 to 24. Default 4.</summary>
    public int Examples { get; init => field = OptionCheck.Range(value, 0, 24, nameof(Examples)); } = 4;
}
