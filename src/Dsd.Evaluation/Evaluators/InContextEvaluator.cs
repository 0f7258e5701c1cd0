using Dsd.Curation.Judging;
using Dsd.Evaluation.Benchmarks.InContext;
using Dsd.Evaluation.Judged;
using Microsoft.Extensions.AI.Evaluation;

namespace Dsd.Evaluation.Evaluators;

/// <summary>
/// OmniContext's or OSBench's PF and SC as an evaluator, and √(PF · SC), each divided by 10: how well a response's picture follows the last user message's
/// instruction, and keeps the subjects of its pictures.
/// </summary>
public sealed class InContextEvaluator : ScoreEvaluator
{
    private readonly ContextBenchmark _benchmark;
    private readonly string _task;

    /// <summary>An evaluator.</summary>
    /// <param name="benchmark">Whose questions. OSBench needs a <see cref="TruePictureContext"/>.</param>
    /// <param name="task">The kind of task, which decides on the rubric: see <see cref="ContextItem.Task"/>.</param>
    /// <param name="options">How it is asked; null is the defaults, three repeats.</param>
    /// <param name="rubrics">The texts; null for this library's own.</param>
    public InContextEvaluator(
        ContextBenchmark benchmark = ContextBenchmark.OmniContext, string task = "single", ScoreJudgeOptions? options = null, Rubrics? rubrics = null)
        : base(options, rubrics) => (_benchmark, _task) = (benchmark, task ?? throw new ArgumentNullException(nameof(task)));

    /// <summary>The name of PF.</summary>
    public static string PromptFollowingName => "Instruction following";

    /// <summary>The name of SC.</summary>
    public static string SubjectConsistencyName => "Subject consistency";

    /// <summary>The name of √(PF · SC).</summary>
    public static string OverallName => "Instruction and subject";

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> EvaluationMetricNames => [PromptFollowingName, SubjectConsistencyName, OverallName];

    private protected override IEnumerable<ScoreQuestion> Questions(ScoreRequest request)
    {
        ContextPictures pictures = new(request.RequiredReferences, request.Generated, request.Context.OfType<TruePictureContext>().FirstOrDefault()?.Picture);
        (ScoreQuestion pf, ScoreQuestion sc) = ContextQuestions.Both(ScoreRequest.Item, _task, request.RequiredPrompt, pictures, _benchmark, Texts);
        return [pf, sc];
    }

    private protected override IEnumerable<NumericMetric> Metrics(IReadOnlyList<JudgedScore> scores)
    {
        string pf = ContextQuestions.MetricOf(_benchmark, "pf");
        ContextItem item = new(ScoreRequest.Item, "", "", "", [], "");
        double? overall = ContextScores.Of([item], _benchmark, [.. scores.Select(s => s with { Item = item.Name })]).Average?.Overall / ContextQuestions.Most;
        return
        [
            Metric(PromptFollowingName, scores.Where(s => s.Metric == pf), ContextQuestions.Most),
            Metric(SubjectConsistencyName, scores.Where(s => s.Metric != pf), ContextQuestions.Most),
            Metric(OverallName, overall, reason: null),
        ];
    }
}
