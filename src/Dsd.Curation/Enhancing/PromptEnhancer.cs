using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dsd.Imaging;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Enhancing;

/// <summary>
/// Has a vision-language model write a prompt again with what it sees of the subject in the reference picture: the last step of Diffusion Self-Distillation
/// (arXiv 2411.18616, section 3.3) before a picture is drawn. Any <see cref="IChatClient"/> that takes images will do, with the limits of a
/// <see cref="Chat.LimitedChatClient"/> around it where it is a server.
/// </summary>
/// <remarks>
/// What goes wrong leaves the prompt as it was given, and is told. Does not own the client. As safe to share between threads as the client is.
/// </remarks>
public sealed class PromptEnhancer
{
    /// <summary>What the schema of the answer is called in requests.</summary>
    public const string SchemaName = "enhanced_prompt";

    /// <summary>What stands before the prompt, as a JSON text, in the message with the picture.</summary>
    public const string PromptLabel = "Prompt: ";

    private const int MaxAnswerLength = 32 * 1024;

    private readonly IChatClient _client;
    private readonly PromptEnhancerOptions _options;
    private readonly string _instructions;

    /// <summary>An enhancer that asks the given client.</summary>
    /// <param name="client">A client that takes pictures.</param>
    /// <param name="options">How it is asked, and in whose words; null is the defaults.</param>
    /// <exception cref="IOException">The instructions file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The instructions file is empty or too large.</exception>
    public PromptEnhancer(IChatClient client, PromptEnhancerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        (_client, _options) = (client, options ?? new PromptEnhancerOptions());
        _instructions = TextResource.Read(_options.InstructionsFile, "enhance.txt");
    }

    private static JsonElement Schema { get; } = JsonDocument.Parse(
        """{"type": "object", "additionalProperties": false, "required": ["prompt"], "properties": {"prompt": {"type": "string"}}}""").RootElement;

    /// <summary>
    /// Writes a prompt again. An answer that cannot be read is asked for once more, with the error; after that, and where the request fails, the prompt stays.
    /// </summary>
    /// <param name="prompt">The prompt; it may be empty.</param>
    /// <param name="reference">The picture of the subject.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public async Task<EnhancedPrompt> EnhanceAsync(string prompt, Picture reference, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(reference);
        cancellationToken.ThrowIfCancellationRequested();
        ChatMessage[] question =
        [
            new(ChatRole.System, _instructions),
            new(ChatRole.User, [new TextContent(PromptLabel + JsonSerializer.Serialize(prompt)), _options.Sent(reference)]),
        ];
        try
        {
            StructuredAnswer<string> answer = await StructuredChat.AskAsync(
                _client, question, () => RequestOptions(prompt), Read, cancellationToken).ConfigureAwait(false);
            return new EnhancedPrompt(prompt, answer.Value ?? prompt, answer.Error is { } error ? Stays($"no answer could be read: {error.Message}") : null)
            {
                Model = answer.Model,
                Attempts = answer.Attempts,
                InputTokens = answer.InputTokens,
                OutputTokens = answer.OutputTokens,
            };
        }
        // Whatever a client throws: a picture is drawn without its help too.
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return new EnhancedPrompt(prompt, prompt, Stays(e.Message));
        }
    }

    private static string Stays(string why) => $"The prompt stays as it is, since it could not be enhanced: {why}";

    private string Read(string answer)
    {
        using JsonDocument document = AnswerJson.Parse(answer, MaxAnswerLength);
        AnswerJson.Fields(document.RootElement, "answer", "prompt");
        string prompt = AnswerJson.Text(document.RootElement, "prompt", _options.MostCharacters).Trim();
        return prompt.Length > 0 && !prompt.Any(char.IsControl)
            ? prompt
            : throw new FormatException("field 'prompt': expected a text without line breaks, found one with them, or an empty one.");
    }

    private ChatOptions RequestOptions(string prompt)
    {
        ChatOptions options = _options.Chat?.Clone() ?? new ChatOptions();
        options.ResponseFormat = ChatResponseFormat.ForJsonSchema(Schema, SchemaName, "A prompt that names the subject of a picture.");
        options.Seed ??= BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes(prompt))) & int.MaxValue;
        return options;
    }
}
