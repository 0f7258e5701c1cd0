using System.Globalization;
using System.Text.Json;
using Dsd.Curation.Axes;
using Dsd.Imaging;
using Dsd.Models.Weights;
using Dsd.Tiny.Classifier;
using Dsd.Tiny.World;
using Microsoft.Extensions.AI;
using static TorchSharp.torch;

namespace Dsd.Tiny.Judge;

/// <summary>
/// An evaluator of the small world that runs locally and speaks as a chat model: it answers the questions by which pictures are scored as a large
/// vision-language model does, so that judged metrics can be tried and tested without a network.
/// </summary>
/// <remarks>
/// <para>What is asked it knows by the last user message: two pictures and no text are DreamBench++'s concept preservation, a text and one picture are its
/// prompt following. Questions whose answer is JSON are known by their schema's name: <c>prompt_following</c> and <c>subject_consistency</c> of OmniContext and
/// OSBench, about the last of the pictures, the first being the reference, and <c>axes</c> of <see cref="AxesJudge"/>. Rubrics are not read: they cannot change
/// an answer.</para>
/// <para>Subjects are compared by the judge's network, part by part; what a prompt states is looked for by the classifier's. A score is the share of what is
/// right, rounded down to the scale, so that the highest score means that all is right. The same question always has the same answer. It knows its own world
/// only. Thread-safe; one picture is read at a time.</para>
/// </remarks>
public sealed class TinyEvaluator : IChatClient
{
    private const int MostDreamBench = 4;
    private const int MostInContext = 10;

    private static readonly ChatClientMetadata Metadata = new("dsd", defaultModelId: "dsd-tiny-evaluator");

    private readonly TinyJudge _judge;
    private readonly AttributeClassifier _classifier;

    /// <summary>An evaluator over a judge and a classifier, which it takes over and disposes.</summary>
    public TinyEvaluator(TinyJudge judge, AttributeClassifier classifier)
    {
        ArgumentNullException.ThrowIfNull(judge);
        ArgumentNullException.ThrowIfNull(classifier);
        (_judge, _classifier) = (judge, classifier);
    }

    /// <summary>Loads the embedded evaluator.</summary>
    /// <param name="device">Where to run; null for the CPU.</param>
    /// <exception cref="WeightsException">A file of the embedded model is damaged.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static TinyEvaluator Load(Device? device = null)
    {
        TinyJudge judge = TinyJudge.Load(TinyModel.JudgeFolder, device);
        try
        {
            return new TinyEvaluator(judge, AttributeClassifier.Load(TinyModel.ClassifierFolder, device));
        }
        catch
        {
            judge.Dispose();
            throw;
        }
    }

    /// <summary>Answers the question of the last user message.</summary>
    /// <exception cref="ArgumentException">It is no question that the evaluator knows.</exception>
    /// <exception cref="PictureException">An image is none.</exception>
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        cancellationToken.ThrowIfCancellationRequested();
        ChatMessage question = messages.LastOrDefault(m => m.Role == ChatRole.User && Images(m).Any())
            ?? throw new ArgumentException("The evaluator answers questions about pictures, but no user message has any.", nameof(messages));
        return Task.FromResult(LocalChat.Answer(Metadata, Answer(question, options)));
    }

    /// <summary>Answers as <see cref="GetResponseAsync"/> does, in one piece.</summary>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        LocalChat.Stream(GetResponseAsync(messages, options, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) => LocalChat.Service(this, Metadata, serviceType, serviceKey);

    /// <inheritdoc/>
    public void Dispose()
    {
        _judge.Dispose();
        _classifier.Dispose();
    }

    private string Answer(ChatMessage question, ChatOptions? options)
    {
        Picture[] pictures = [.. Images(question).Select((image, i) =>
            Picture.Decode(image.Data.Span, string.Create(CultureInfo.InvariantCulture, $"picture {i + 1}")))];
        string text = question.Text.Trim();
        return ((options?.ResponseFormat as ChatResponseFormatJson)?.SchemaName, pictures.Length, text.Length > 0) switch
        {
            ("axes", 2, true) => Axes(pictures[0], pictures[1], [.. question.Contents.OfType<TextContent>().Select(t => t.Text)]).ToJson(),
            ("subject_consistency", >= 2, _) => Json(Kept(pictures[0], pictures[^1]), "The subject of the first picture and of the last."),
            // What is asked for stands at the end of the rubric.
            ("prompt_following", >= 1, true) => Followed(text[(text.LastIndexOf("nstruction:", StringComparison.Ordinal) + 1)..], pictures[^1]) is { } done
                ? Json(done.Share, done.Words)
                : "The instruction states nothing of the small world, so there is nothing to score.",
            (null, 2, false) => Line("", Kept(pictures[0], pictures[1]), MostDreamBench),
            (null, 1, true) => Followed(text, pictures[0]) is { } followed
                ? Line($"Analysis: {followed.Words}\n", followed.Share, MostDreamBench)
                : "Analysis: the text states nothing of the small world, so there is nothing to score.",
            _ => throw new ArgumentException(
                "The evaluator answers about two pictures without a text, or about a text and one picture, but the last user message with pictures has "
                + $"{pictures.Length} and {(text.Length > 0 ? "a" : "no")} text.",
                nameof(question)),
        };
    }

    private static string Json(double share, string words) => JsonSerializer.Serialize(new { score = Score(share, MostInContext), reasoning = words });

    private static string Line(string before, double share, int most) => string.Create(CultureInfo.InvariantCulture, $"{before}Score: {Score(share, most)}");

    /// <summary>The share of what is right on a scale: the highest score only where all is.</summary>
    private static int Score(double share, int most) => (int)Math.Floor(share * most + 1e-9);

    /// <summary>The share of the subject's parts that are the same in both pictures.</summary>
    private double Kept(Picture reference, Picture generated)
    {
        IReadOnlyList<(string Name, string? Difference)> parts = _judge.Parts(reference, generated);
        return parts.Count == 0 ? 0 : (double)parts.Count(p => p.Difference is null) / parts.Count;
    }

    /// <summary>The share of what a text states that the picture shows; null where it states nothing that is known here.</summary>
    private (double Share, string Words)? Followed(string text, Picture picture)
    {
        IReadOnlyDictionary<int, int> stated = StatedAttributes.Of(text);
        if (stated.Count == 0)
        {
            return null;
        }
        int[] read = _classifier.Read([picture])[0];
        (AttributeKind Kind, int Stated, int Shown)[] all = [.. stated.Select(s => (StatedAttributes.Kinds[s.Key], s.Value, read[s.Key]))];
        string words = string.Join("; ", all.Select(a => a.Stated == a.Shown
            ? $"{a.Kind.Name} is {a.Kind.ValueNames[a.Shown]}"
            : $"{a.Kind.Name} is {a.Kind.ValueNames[a.Shown]} and not {a.Kind.ValueNames[a.Stated]}"));
        return ((double)all.Count(a => a.Stated == a.Shown) / all.Length, words);
    }

    /// <summary>
    /// Scores by axes: a part is the same or another; pictures are without fault unless one is blank, and each stands alone unless both are practically one.
    /// A caption that states nothing of the world is contradicted by nothing.
    /// </summary>
    private PairAxes Axes(Picture a, Picture b, IReadOnlyList<string> captions)
    {
        IReadOnlyList<(string Name, string? Difference)> parts = _judge.Parts(a, b);
        bool blank = parts.Count == 0;
        double followed = captions.Zip([a, b]).Min(shown => Followed(shown.First, shown.Second)?.Share ?? 1);
        return new PairAxes
        {
            Subject = blank ? "none" : "a little creature",
            Parts = blank
                ? [new PartScore { Name = "whole", Differences = "an image shows nothing", Score = 0 }]
                :
                [
                    .. parts.Select(p => new PartScore
                    {
                        Name = p.Name,
                        Differences = p.Difference ?? "none",
                        Score = p.Difference is null ? PairAxes.Most : 0,
                    }),
                ],
            ObjectConsistency = blank ? 0 : Score((double)parts.Count(p => p.Difference is null) / parts.Count, PairAxes.Most),
            ImageQuality = blank ? 0 : PairAxes.Most,
            Composition = blank || TinyJudge.AreNearCopies(a, b) ? 0 : PairAxes.Most,
            PromptAdherence = Score(blank ? 0 : followed, PairAxes.Most),
        };
    }

    private static IEnumerable<DataContent> Images(ChatMessage message) =>
        message.Contents.OfType<DataContent>().Where(content => content.HasTopLevelMediaType("image"));
}
