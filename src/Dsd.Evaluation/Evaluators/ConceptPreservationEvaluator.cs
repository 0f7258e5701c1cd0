using Dsd.Curation.Judging;
using Dsd.Evaluation.Benchmarks.DreamBenchPlus;
using Dsd.Evaluation.Judged;
using Microsoft.Extensions.AI.Evaluation;

namespace Dsd.Evaluation.Evaluators;

/// <summary>
/// DreamBench++'s CP as an evaluator: how well a response's picture keeps the subject, or the style, of the last user message's first picture.
/// </summary>
public sealed class ConceptPreservationEvaluator : ScoreEvaluator
{
    private readonly bool _style;

    /// <summary>An evaluator.</summary>
    /// <param name="options">How it is asked; null is the defaults, three repeats.</param>
    /// <param name="rubrics">The texts; null for this library's own.</param>
    /// <param name="style">Whether the reference stands for a style.</param>
    public ConceptPreservationEvaluator(ScoreJudgeOptions? options = null, Rubrics? rubrics = null, bool style = false)
        : base(options, rubrics) => _style = style;

    /// <summary>The metric's name.</summary>
    public static string MetricName => "Concept preservation";

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> EvaluationMetricNames => [MetricName];

    private protected override IEnumerable<ScoreQuestion> Questions(ScoreRequest request) =>
        [DreamBenchQuestions.ConceptPreservation(ScoreRequest.Item, request.RequiredReferences[0], request.Generated, _style, Texts)];

    private protected override IEnumerable<NumericMetric> Metrics(IReadOnlyList<JudgedScore> scores) => [Metric(MetricName, scores, DreamBenchQuestions.Most)];
}
