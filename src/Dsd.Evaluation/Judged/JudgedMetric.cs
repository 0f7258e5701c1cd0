using System.Security.Cryptography;
using System.Text;
using Dsd.Curation.Chat;
using Dsd.Curation.Judging;
using Dsd.Evaluation.Benchmarks.DreamBenchPlus;
using Dsd.Evaluation.Metrics;
using Dsd.Evaluation.Running;

namespace Dsd.Evaluation.Judged;

/// <summary>
/// A judged score as a metric of an <see cref="EvaluationRun"/>: the mean over a judge's repeats, divided by the highest score. A picture that no answer could
/// be read for has no score, and is asked for again by the next run.
/// </summary>
public sealed class JudgedMetric : IPairMetric
{
    private readonly ScoreJudge _judge;
    private readonly Func<MetricItem, ScoreQuestion> _question;
    private readonly int _most;

    private JudgedMetric(string name, ScoreJudge judge, bool needsPrompt, int most, string dependsOn, Func<MetricItem, ScoreQuestion> question)
    {
        (Name, NeedsPrompt, _judge, _most, _question) = (name, needsPrompt, judge, most, question);
        Fingerprint = $"{name} {judge.Name} {judge.Repeats} {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(dependsOn)))}";
    }

    /// <summary>The names of the metrics that there are here.</summary>
    public static IReadOnlyList<string> Known { get; } = [MetricNames.ConceptPreservation, MetricNames.PromptFollowing];

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Source => $"{_judge.Name}, {_judge.Repeats} {(_judge.Repeats == 1 ? "time" : "times")}";

    /// <inheritdoc/>
    public double Least => 0;

    /// <inheritdoc/>
    public double Most => 1;

    /// <inheritdoc/>
    public bool NeedsPrompt { get; }

    /// <inheritdoc/>
    public string Fingerprint { get; }

    /// <summary>
    /// One of <see cref="Known"/>, as DreamBench++ asks (<see cref="DreamBenchQuestions"/>). Pictures of the category <c>style</c> keep a style.
    /// </summary>
    /// <param name="name">The metric's name.</param>
    /// <param name="judge">Whom to ask.</param>
    /// <param name="rubrics">The texts; null for this library's own.</param>
    /// <param name="dependsOn">What the judge's scores depend on beside its name, such as its model: with another text, scores are asked for again.</param>
    /// <exception cref="ArgumentException">There is no such metric.</exception>
    public static JudgedMetric Of(string name, ScoreJudge judge, Rubrics? rubrics = null, string dependsOn = "")
    {
        ArgumentNullException.ThrowIfNull(judge);
        ArgumentNullException.ThrowIfNull(dependsOn);
        if (!Known.Contains(name))
        {
            throw new ArgumentException($"Judged metrics are {string.Join(" and ", Known)}, but found '{name}'.", nameof(name));
        }
        string texts = string.Join('\n', Rubrics.Names.Select((rubrics ?? Rubrics.Own).Text));
        return name == MetricNames.ConceptPreservation
            ? new(name, judge, needsPrompt: false, DreamBenchQuestions.Most, $"{dependsOn}\n{texts}", item =>
                DreamBenchQuestions.ConceptPreservation(item.Name, () => item.Reference, () => item.Generated, item.Category == "style", rubrics))
            : new(name, judge, needsPrompt: true, DreamBenchQuestions.Most, $"{dependsOn}\n{texts}", item =>
                DreamBenchQuestions.PromptFollowing(item.Name, item.Prompt!, () => item.Generated, rubrics));
    }

    /// <inheritdoc/>
    /// <exception cref="ChatFailedException">Too many requests failed in a row, or one in a way that all others would too.</exception>
    /// <exception cref="ChatBudgetException">The budget is spent.</exception>
    public async Task<IReadOnlyList<double?>> ComputeAsync(IReadOnlyList<MetricItem> items, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        // All repeats of the first picture's question come first, then those of the next.
        List<int>[] scores = [.. items.Select(_ => new List<int>())];
        int answers = 0;
        await foreach (JudgedScore score in _judge.AskManyAsync(items.Select(_question), cancellationToken).ConfigureAwait(false))
        {
            if (score.Score is { } given)
            {
                scores[answers / _judge.Repeats].Add(given);
            }
            answers++;
        }
        return [.. scores.Select(own => own.Count == 0 ? (double?)null : own.Average() / _most)];
    }
}
