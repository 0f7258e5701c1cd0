using System.Text.Json;
using Dsd.Imaging;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Grids;

/// <summary>
/// Has a vision-language model say what a panel shows, for a caption of its own in place of the text that the grid was drawn from, which the teacher may not
/// have followed.
/// </summary>
/// <remarks>Does not own the client. As safe to share between threads as the client is.</remarks>
public sealed class PanelCaptioner
{
    private const int MaxAnswerLength = 16 * 1024;
    private readonly IChatClient _client;
    private readonly string _instructions;

    /// <summary>A captioner that asks the given client.</summary>
    /// <param name="client">A client that takes pictures.</param>
    /// <param name="instructionsFile">A UTF-8 text file of at most 64 KB with instructions to use instead of the built-in ones; null for those.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">The file is empty or too large.</exception>
    public PanelCaptioner(IChatClient client, string? instructionsFile = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        (_client, _instructions) = (client, TextResource.Read(instructionsFile, "caption.txt"));
    }

    /// <summary>One phrase for the panel: the subject, what it does, where, in what light; at most 1000 characters.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="subject">What the grid was to show, for the subject's name.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="GridPromptException">Two answers could not be read.</exception>
    public async Task<string> CaptionAsync(Picture panel, string subject, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(panel);
        ArgumentException.ThrowIfNullOrWhiteSpace(subject);
        ChatMessage[] question =
        [
            new(ChatRole.System, _instructions),
            new(
                ChatRole.User,
                [new TextContent($"Subject: {JsonSerializer.Serialize(subject)}"), new DataContent(panel.EncodePng(quickly: true), "image/png")]),
        ];
        StructuredAnswer<string> answer = await StructuredChat.AskAsync(
            _client, question, () =>
                new ChatOptions { ResponseFormat = ChatResponseFormat.ForJsonSchema(Schema, "caption", "What a picture shows.") }, Read, cancellationToken)
                    .ConfigureAwait(false);
        return answer.Value ?? throw new GridPromptException(
            subject, $"asked twice for a panel's caption as JSON, and both answers were unusable; the last one: {answer.Error!.Message}", answer.Error);
    }

    private static JsonElement Schema { get; } = JsonDocument.Parse(
        """{"type": "object", "additionalProperties": false, "required": ["caption"], "properties": {"caption": {"type": "string"}}}""").RootElement;

    private static string Read(string text)
    {
        using JsonDocument document = AnswerJson.Parse(text, MaxAnswerLength);
        AnswerJson.Fields(document.RootElement, "answer", "caption");
        return AnswerJson.Text(document.RootElement, "caption", 1000);
    }
}
