using System.Globalization;
using Dsd.Curation.Judging;
using Dsd.Evaluation.Judged;
using Dsd.Imaging;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Dsd.Evaluation.Evaluators;

/// <summary>
/// A judged metric as an evaluator of <c>Microsoft.Extensions.AI.Evaluation</c>. The judge is the chat client of the configuration, so that whatever caches and
/// reports there does so here. The generated picture is the first of the response; prompt and references stand in the last user message.
/// </summary>
/// <remarks>
/// A metric's value is the mean of the repeats on a scale of 0 to 1. Where no repeat has a score there is no value, its rating is
/// <see cref="EvaluationRating.Inconclusive"/>, and diagnostics say why. Thread-safe.
/// </remarks>
public abstract class ScoreEvaluator : IEvaluator
{
    private readonly ScoreJudgeOptions _options;

    private protected ScoreEvaluator(ScoreJudgeOptions? options, Rubrics? rubrics) =>
        (_options, Texts) = (options ?? new ScoreJudgeOptions(), rubrics ?? Rubrics.Own);

    /// <inheritdoc/>
    public abstract IReadOnlyCollection<string> EvaluationMetricNames { get; }

    private protected Rubrics Texts { get; }

    /// <summary>Asks the judge about the generated picture of a response.</summary>
    /// <param name="messages">The conversation that led to it. Its last user message has the prompt, and the references where the metric needs any.</param>
    /// <param name="modelResponse">The response, whose first picture is judged.</param>
    /// <param name="chatConfiguration">The judge.</param>
    /// <param name="additionalContext">What else a metric needs, such as a <see cref="TruePictureContext"/>.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="ArgumentNullException">There is no judge.</exception>
    /// <exception cref="ArgumentException">A picture or the prompt is missing.</exception>
    public async ValueTask<EvaluationResult> EvaluateAsync(
        IEnumerable<ChatMessage> messages,
        ChatResponse modelResponse,
        ChatConfiguration? chatConfiguration = null,
        IEnumerable<EvaluationContext>? additionalContext = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(modelResponse);
        ArgumentNullException.ThrowIfNull(chatConfiguration);
        ChatMessage asked = messages.LastOrDefault(m => m.Role == ChatRole.User)
            ?? throw new ArgumentException("The conversation must have a user message with what was asked for, but has none.", nameof(messages));
        DataContent generated = Pictures(modelResponse.Messages.SelectMany(m => m.Contents)).FirstOrDefault()
            ?? throw new ArgumentException("The response must hold a generated picture, but holds none.", nameof(modelResponse));
        ScoreRequest request = new(
            asked.Text.Trim(),
            [.. Pictures(asked.Contents).Select((picture, i) => new Func<Picture>(() => Decode(picture, $"reference {i + 1}")))],
            () => Decode(generated, "the response's picture"),
            [.. additionalContext ?? []]);

        ScoreJudge judge = new(chatConfiguration.ChatClient, _options);
        List<JudgedScore> scores = [];
        await foreach (JudgedScore score in judge.AskManyAsync(Questions(request), cancellationToken).ConfigureAwait(false))
        {
            scores.Add(score);
        }
        return new EvaluationResult([.. Metrics(scores)]);
    }

    private protected abstract IEnumerable<ScoreQuestion> Questions(ScoreRequest request);

    private protected abstract IEnumerable<NumericMetric> Metrics(IReadOnlyList<JudgedScore> scores);

    /// <summary>The metric of one question.</summary>
    private protected static NumericMetric Metric(string name, IEnumerable<JudgedScore> scores, int most)
    {
        JudgedScore[] all = [.. scores];
        NumericMetric metric = Metric(name, RepeatSummary.Of(all, most)?.Mean, all.FirstOrDefault(s => s.Score is not null)?.Reason);
        foreach (JudgedScore none in all.Where(s => s.Score is null))
        {
            metric.AddDiagnostics(EvaluationDiagnostic.Error(none.Reason));
        }
        Dictionary<string, string> facts = new()
        {
            ["judge"] = all[0].Judge,
            ["scores"] = string.Join(", ", all.Select(s => s.Score?.ToString(CultureInfo.InvariantCulture) ?? "none")),
            ["input_tokens"] = all.Sum(s => s.InputTokens).ToString(CultureInfo.InvariantCulture),
            ["output_tokens"] = all.Sum(s => s.OutputTokens).ToString(CultureInfo.InvariantCulture),
        };
        if (all.FirstOrDefault(s => s.Model is not null)?.Model is { } model)
        {
            facts["model"] = model;
        }
        metric.AddOrUpdateMetadata(facts);
        return metric;
    }

    /// <summary>A metric with one of the framework's five ratings.</summary>
    private protected static NumericMetric Metric(string name, double? value, string? reason) => new(name, value, reason)
    {
        Interpretation = value is null
            ? new EvaluationMetricInterpretation(EvaluationRating.Inconclusive, failed: true, reason: "No answer of the judge could be read as a score.")
            : new EvaluationMetricInterpretation(value switch
            {
                >= 0.9 => EvaluationRating.Exceptional,
                >= 0.7 => EvaluationRating.Good,
                >= 0.45 => EvaluationRating.Average,
                >= 0.2 => EvaluationRating.Poor,
                _ => EvaluationRating.Unacceptable,
            }),
    };

    private static IEnumerable<DataContent> Pictures(IEnumerable<AIContent> contents) =>
        contents.OfType<DataContent>().Where(c => c.HasTopLevelMediaType("image"));

    internal static Picture Decode(DataContent picture, string what) => Picture.Decode(picture.Data.Span, what, Transparency.Dropped);

    /// <summary>What was asked for, and what came.</summary>
    private protected sealed record ScoreRequest(
        string Prompt, IReadOnlyList<Func<Picture>> References, Func<Picture> Generated, IReadOnlyList<EvaluationContext> Context)
    {
        /// <summary>A name that is the same for the same question: seeds follow from it, so that a cache finds the answer.</summary>
        public const string Item = "response";

        public string RequiredPrompt => Prompt.Length > 0
            ? Prompt
            : throw new ArgumentException("The last user message must hold the prompt as text, but holds none.", "messages");

        public IReadOnlyList<Func<Picture>> RequiredReferences => References.Count > 0
            ? References
            : throw new ArgumentException("The last user message must hold a reference picture, but holds none.", "messages");
    }
}
