using Dsd.Curation.Chat;
using Microsoft.Extensions.AI;

namespace Dsd.Curation;

/// <summary>Asks a chat model for an answer of a fixed form, once more when the first cannot be read.</summary>
public static class StructuredChat
{
    // The model sees enough of its own answer to mend it; an endless one is not sent back whole.
    private const int QuotedAnswer = 2000;

    /// <summary>Asks, reads, and after an answer that cannot be read asks once more, with what was wrong with it.</summary>
    /// <param name="client">The model.</param>
    /// <param name="question">The messages of the question.</param>
    /// <param name="options">Makes the options of a request; called for each.</param>
    /// <param name="read">Reads the answer's text, without the model's thinking. A <see cref="FormatException"/> says what is wrong with it.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <param name="again">
    /// Asks for another answer; <c>{error}</c> in it stands for what was wrong. Null, the default, asks for one JSON object.
    /// </param>
    /// <typeparam name="T">What is read of an answer.</typeparam>
    /// <returns>The value, or null with the last error, and what it took to get there.</returns>
    /// <remarks>Errors of the client itself (network, quota) are not caught: they are no answers.</remarks>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public static async Task<StructuredAnswer<T>> AskAsync<T>(
        IChatClient client,
        IReadOnlyList<ChatMessage> question,
        Func<ChatOptions> options,
        Func<string, T> read,
        CancellationToken cancellationToken,
        string? again = null)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(question);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(read);
        List<ChatMessage> messages = [.. question];
        (long input, long output) = (0, 0);
        for (int attempt = 1; ; attempt++)
        {
            ChatResponse response = await client.GetResponseAsync(messages, options(), cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            (input, output) = (
                input + (TokenCount.Valid(response.Usage?.InputTokenCount) ?? 0), output + (TokenCount.Valid(response.Usage?.OutputTokenCount) ?? 0));
            string text = AnswerText.Of(response);
            StructuredAnswer<T> Answer(T? value, FormatException? error) => new(value, error, attempt, response.ModelId, input, output);
            try
            {
                return Answer(read(text), null);
            }
            catch (FormatException e) when (attempt == 1)
            {
                // Some servers refuse an empty message, and others two of one role in a row.
                messages.Add(new ChatMessage(ChatRole.Assistant, string.IsNullOrWhiteSpace(text) ? "(nothing)" : AnswerJson.Beginning(text, QuotedAnswer)));
                string repeat = again ?? TextResource.Embedded("retry.txt");
                messages.Add(new ChatMessage(ChatRole.User, repeat.Replace("{error}", e.Message, StringComparison.Ordinal)));
            }
            catch (FormatException e)
            {
                return Answer(null, AnswerText.Cause(response) is { } cause ? new FormatException($"{cause} {e.Message}", e) : e);
            }
        }
    }

    /// <summary>What a judge is called in results and ledgers: as its options say, else as its model, else 'judge'.</summary>
    /// <param name="client">The model.</param>
    /// <param name="name">The options' name; null for the model's.</param>
    public static string NameOf(IChatClient client, string? name)
    {
        ArgumentNullException.ThrowIfNull(client);
        return name ?? (client.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata)?.DefaultModelId ?? "judge";
    }

    /// <summary>Refuses a judge's name that ledgers do not take.</summary>
    /// <param name="name">1 to 64 characters; null is none.</param>
    /// <param name="option">The name of the option that holds it.</param>
    /// <exception cref="ArgumentException">It is empty or too long.</exception>
    public static string? CheckedName(string? name, string option) => name is null or { Length: > 0 and <= 64 }
        ? name
        : throw new ArgumentException($"Option {option} must have 1 to 64 characters, but has {name.Length}.", option);

    /// <summary>Refuses chat options whose answer form is taken already; null means none.</summary>
    /// <param name="options">What a caller gives.</param>
    /// <param name="option">The name of the option that holds it.</param>
    /// <returns>A copy, so that the caller cannot change it later.</returns>
    /// <exception cref="ArgumentException">It has a <c>ResponseFormat</c>.</exception>
    public static ChatOptions? WithoutFormat(ChatOptions? options, string option) =>
        options?.ResponseFormat is null
            ? options?.Clone()
            : throw new ArgumentException($"Option {option}.ResponseFormat must be null: the form of the answer is set by this library.", option);
}
