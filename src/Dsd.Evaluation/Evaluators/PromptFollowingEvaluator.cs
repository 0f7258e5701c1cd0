using Dsd.Curation.Judging;
using Dsd.Evaluation.Benchmarks.DreamBenchPlus;
using Dsd.Evaluation.Judged;
using Microsoft.Extensions.AI.Evaluation;

namespace Dsd.Evaluation.Evaluators;

/// <summary>DreamBench++'s PF as an evaluator: how well a response's picture shows what the last user message asks for.</summary>
public sealed class PromptFollowingEvaluator : ScoreEvaluator
{
    /// <summary>An evaluator.</summary>
    /// <param name="options">How it is asked; null is the defaults, three repeats.</param>
    /// <param name="rubrics">The texts; null for this library's own.</param>
    public PromptFollowingEvaluator(ScoreJudgeOptions? options = null, Rubrics? rubrics = null)
        : base(options, rubrics)
    {
    }

    /// <summary>The metric's name.</summary>
    public static string MetricName => "Prompt following";

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> EvaluationMetricNames => [MetricName];

    private protected override IEnumerable<ScoreQuestion> Questions(ScoreRequest request) =>
        [DreamBenchQuestions.PromptFollowing(ScoreRequest.Item, request.RequiredPrompt, request.Generated, Texts)];

    private protected override IEnumerable<NumericMetric> Metrics(IReadOnlyList<JudgedScore> scores) => [Metric(MetricName, scores, DreamBenchQuestions.Most)];
}
