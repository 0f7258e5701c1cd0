using System.Text.Json;
using System.Text.RegularExpressions;
using Dsd.Curation.Enhancing;
using Dsd.Imaging;
using Dsd.Models.Weights;
using Dsd.Tiny.Classifier;
using Dsd.Tiny.World;
using Microsoft.Extensions.AI;
using static TorchSharp.torch;

namespace Dsd.Tiny.Judge;

/// <summary>
/// Enhances prompts of the small world, locally and as a chat model: it answers a <see cref="PromptEnhancer"/> as a large vision-language model does.
/// </summary>
/// <remarks>
/// The classifier reads the subject off the reference; what the prompt does not say of it takes the place of the prompt's word for it. All other words stay.
/// The same question always has the same answer. It knows its own world only. Thread-safe; one picture is read at a time.
/// </remarks>
public sealed partial class TinyEnhancer : IChatClient
{
    private static readonly ChatClientMetadata Metadata = new("dsd", defaultModelId: "dsd-tiny-enhancer");

    // What identifies a subject least goes first where the model could not read all of a prompt: mouth, eyes, ears, accessory, pattern.
    private static readonly int[] Dropped = [1 << 6, 1 << 4, 1 << 5, 0b1_1000_0000, 0b0_0000_1100, 1 << 0];

    private readonly AttributeClassifier _classifier;

    /// <summary>An enhancer over a classifier, which it takes over and disposes.</summary>
    public TinyEnhancer(AttributeClassifier classifier)
    {
        ArgumentNullException.ThrowIfNull(classifier);
        _classifier = classifier;
    }

    /// <summary>Loads the embedded enhancer.</summary>
    /// <param name="device">Where to run; null for the CPU.</param>
    /// <exception cref="WeightsException">A file of the embedded model is damaged.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static TinyEnhancer Load(Device? device = null) => new(AttributeClassifier.Load(TinyModel.ClassifierFolder, device));

    /// <summary>Answers with the prompt of the last user message, which names the subject of its picture.</summary>
    /// <exception cref="ArgumentException">It is no question of a <see cref="PromptEnhancer"/>.</exception>
    /// <exception cref="PictureException">The image is none.</exception>
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        cancellationToken.ThrowIfCancellationRequested();
        ChatMessage? question = messages.LastOrDefault(m => m.Role == ChatRole.User && m.Contents.OfType<DataContent>().Any());
        if (question is null || (options?.ResponseFormat as ChatResponseFormatJson)?.SchemaName != PromptEnhancer.SchemaName
            || !question.Text.StartsWith(PromptEnhancer.PromptLabel, StringComparison.Ordinal))
        {
            throw new ArgumentException("The embedded enhancer answers the question of a PromptEnhancer alone, but the messages hold none.", nameof(messages));
        }
        string prompt = JsonSerializer.Deserialize<string>(question.Text[PromptEnhancer.PromptLabel.Length..])!;
        Picture reference = Picture.Decode(question.Contents.OfType<DataContent>().First().Data.Span, "the reference");
        return Task.FromResult(LocalChat.Answer(Metadata, JsonSerializer.Serialize(new { prompt = Enhanced(prompt, reference) })));
    }

    /// <summary>Answers as <see cref="GetResponseAsync"/> does, in one piece.</summary>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        LocalChat.Stream(GetResponseAsync(messages, options, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) => LocalChat.Service(this, Metadata, serviceType, serviceKey);

    /// <inheritdoc/>
    public void Dispose() => _classifier.Dispose();

    private string Enhanced(string prompt, Picture reference)
    {
        int[] values = _classifier.Read([reference])[0][..Subject.Kinds.Count];
        int mask = (1 << Subject.Kinds.Count) - 1;
        foreach ((int attribute, int value) in StatedAttributes.Of(prompt).Where(s => s.Key < Subject.Kinds.Count))
        {
            values[attribute] = value;
            mask &= ~(1 << attribute);
        }
        Subject subject = Subject.FromValues(values);
        string enhanced = Named(prompt, subject, mask);
        for (int i = 0; i < Dropped.Length && Captions.CountTokens(enhanced) > Captions.MaxTokens; i++)
        {
            mask &= ~Dropped[i];
            enhanced = Named(prompt, subject, mask);
        }
        return enhanced;
    }

    /// <summary>The prompt with the subject's phrase in the place of its word for it, or behind it where it has none.</summary>
    private static string Named(string prompt, Subject subject, int mask)
    {
        if (mask == 0)
        {
            return prompt;
        }
        string phrase = new Wording(0, PromptStyle.OneTemplate).Subject(subject, mask);
        Match noun = Noun().Match(prompt);
        if (!noun.Success)
        {
            return string.IsNullOrWhiteSpace(prompt) ? Wording.WithArticle(phrase) : $"{prompt}, {Wording.WithArticle(phrase)}";
        }
        string named = noun.Groups["article"].Success ? Wording.WithArticle(phrase) : phrase;
        return string.Concat(prompt.AsSpan(0, noun.Index), named, prompt.AsSpan(noun.Index + noun.Length));
    }

    // The longest first, or 'little creature' would keep its 'little'.
    [GeneratedRegex(
        @"\b(?<article>an? )?(little creature|cartoon character|cute monster|creature|monster|character|mascot|toy|friend|animal)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Noun();
}
