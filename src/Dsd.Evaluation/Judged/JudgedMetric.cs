using System.Security.Cryptography;
using System.Text;
using Dsd.Curation.Chat;
using Dsd.Curation.Judging;
using Dsd.Evaluation.Benchmarks.DreamBenchPlus;
using Dsd.Evaluation.Benchmarks.InContext;
using Dsd.Evaluation.Metrics;
using Dsd.Evaluation.Running;

namespace Dsd.Evaluation.Judged;

/// <summary>
/// A judged score as a metric of an <see cref="EvaluationRun"/>: the mean over a judge's repeats. A picture that no answer could be read for has no score, and
/// is asked for again by the next run.
/// </summary>
public sealed class JudgedMetric : IPairMetric
{
    private readonly ScoreJudge _judge;
    private readonly Func<MetricItem, ScoreQuestion> _question;
    private readonly int _unit;

    // Scores are divided by the unit.
    private JudgedMetric(
        string name, string question, ScoreJudge judge, bool namesJudge, bool needsPrompt, int most, int unit, string dependsOn,
        Func<MetricItem, ScoreQuestion> ask)
    {
        (Name, Question, NeedsPrompt) = (namesJudge ? $"{name}:{judge.Name}" : name, question, needsPrompt);
        (_judge, Most, _unit, _question) = (judge, (double)most / unit, unit, ask);
        // 'answers': each repeat's is kept, which earlier versions did not.
        Fingerprint =
            $"answers of {question} {judge.Name} {judge.Repeats} {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(dependsOn)))}";
    }

    /// <summary>The names of DreamBench++'s metrics.</summary>
    public static IReadOnlyList<string> Known { get; } = [MetricNames.ConceptPreservation, MetricNames.PromptFollowing];

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Source => $"{_judge.Name}, {_judge.Repeats} {(_judge.Repeats == 1 ? "time" : "times")}";

    /// <inheritdoc/>
    public double Least => 0;

    /// <inheritdoc/>
    public double Most { get; }

    /// <inheritdoc/>
    public bool NeedsPrompt { get; }

    /// <inheritdoc/>
    public string Fingerprint { get; }

    /// <summary>Which question is asked, such as <c>dreambench-cp</c>.</summary>
    public string Question { get; }

    /// <summary>Who is asked.</summary>
    public string Judge => _judge.Name;

    /// <summary>
    /// One of <see cref="Known"/>, as DreamBench++ asks (<see cref="DreamBenchQuestions"/>), divided by its highest score. Pictures of the category
    /// <c>style</c> keep a style.
    /// </summary>
    /// <param name="name">The metric's name.</param>
    /// <param name="judge">Whom to ask.</param>
    /// <param name="rubrics">The texts; null for this library's own.</param>
    /// <param name="dependsOn">What the judge's scores depend on beside its name, such as its model: with another text, scores are asked for again.</param>
    /// <param name="namesJudge">Whether the judge's name stands behind the metric's (<c>cp:NAME</c>), so that a run can have several judges.</param>
    /// <exception cref="ArgumentException">There is no such metric.</exception>
    public static JudgedMetric Of(string name, ScoreJudge judge, Rubrics? rubrics = null, string dependsOn = "", bool namesJudge = false)
    {
        ArgumentNullException.ThrowIfNull(judge);
        ArgumentNullException.ThrowIfNull(dependsOn);
        if (!Known.Contains(name))
        {
            throw new ArgumentException($"Judged metrics are {string.Join(" and ", Known)}, but found '{name}'.", nameof(name));
        }
        bool keeps = name == MetricNames.ConceptPreservation;
        string question = keeps ? DreamBenchQuestions.ConceptPreservationMetric : DreamBenchQuestions.PromptFollowingMetric;
        return new JudgedMetric(
            name, question, judge, namesJudge, needsPrompt: !keeps, DreamBenchQuestions.Most, DreamBenchQuestions.Most, With(dependsOn, rubrics),
            keeps
                ? item => DreamBenchQuestions.ConceptPreservation(item.Name, () => item.Reference, () => item.Generated, item.Category == "style", rubrics)
                : item => DreamBenchQuestions.PromptFollowing(item.Name, item.Prompt!, () => item.Generated, rubrics));
    }

    /// <summary>
    /// PF and SC of OmniContext or OSBench (<see cref="ContextQuestions"/>), 0 to 10 as there. A picture's category is the kind of its task, its prompt the
    /// instruction; all given pictures are shown, and OSBench needs a true one.
    /// </summary>
    /// <param name="benchmark">Whose questions.</param>
    /// <param name="judge">Whom to ask.</param>
    /// <param name="rubrics">The texts; null for this library's own.</param>
    /// <param name="dependsOn">What the judge's scores depend on beside its name: with another text, scores are asked for again.</param>
    /// <param name="namesJudge">Whether the judge's name stands behind the metric's.</param>
    public static IReadOnlyList<JudgedMetric> Of(
        ContextBenchmark benchmark, ScoreJudge judge, Rubrics? rubrics = null, string dependsOn = "", bool namesJudge = false)
    {
        ArgumentNullException.ThrowIfNull(judge);
        ArgumentNullException.ThrowIfNull(dependsOn);
        return [Metric("pf", both => both.PromptFollowing), Metric("sc", both => both.SubjectConsistency)];

        JudgedMetric Metric(string part, Func<(ScoreQuestion PromptFollowing, ScoreQuestion SubjectConsistency), ScoreQuestion> one)
        {
            string name = ContextQuestions.MetricOf(benchmark, part);
            return new JudgedMetric(
                name, name, judge, namesJudge, needsPrompt: true, ContextQuestions.Most, unit: 1, With(dependsOn, rubrics),
                item => one(ContextQuestions.Both(item.Name, item.Category ?? "", item.Prompt!, Pictures(item), benchmark, rubrics)));
        }

        static ContextPictures Pictures(MetricItem item) => new([() => item.Reference, .. item.FurtherReferences], () => item.Generated, item.Truth);
    }

    /// <inheritdoc/>
    /// <exception cref="ChatFailedException">Too many requests failed in a row, or one in a way that all others would too.</exception>
    /// <exception cref="ChatBudgetException">The budget is spent.</exception>
    public async Task<IReadOnlyList<double?>> ComputeAsync(IReadOnlyList<MetricItem> items, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        return [.. (await AskAsync(items, cancellationToken).ConfigureAwait(false)).Select(ScoreOf)];
    }

    /// <summary>What the judge gives for each picture in each repeat, null where no answer could be read.</summary>
    internal async Task<IReadOnlyList<IReadOnlyList<int?>>> AskAsync(IReadOnlyList<MetricItem> items, CancellationToken cancellationToken)
    {
        // All repeats of the first picture's question come first, then those of the next.
        List<int?> answers = [];
        await foreach (JudgedScore score in _judge.AskManyAsync(items.Select(_question), cancellationToken).ConfigureAwait(false))
        {
            answers.Add(score.Score);
        }
        return [.. answers.Chunk(_judge.Repeats)];
    }

    /// <summary>The mean of what could be read; null where nothing could.</summary>
    internal double? ScoreOf(IReadOnlyList<int?> answers) => answers.Average() / _unit;

    /// <summary>The answers of a picture as scores of their own.</summary>
    internal IEnumerable<JudgedScore> Scores(string item, IReadOnlyList<int?>? answers) => (answers ?? []).Select((answer, repeat) => new JudgedScore
    {
        Item = item,
        Metric = Question,
        Repeat = repeat,
        Judge = Judge,
        Question = "",
        Score = answer,
        Reason = "",
    });

    private static string With(string dependsOn, Rubrics? rubrics) =>
        $"{dependsOn}\n{string.Join('\n', Rubrics.Names.Select((rubrics ?? Rubrics.Own).Text))}";
}
