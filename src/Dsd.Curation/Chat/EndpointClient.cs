using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Chat;

/// <summary>The protocol's client, less what its server does not know, and with the connections that it goes over.</summary>
internal sealed class EndpointClient(IChatClient client, HttpClient connections, AnswerForm form, bool sendSeed) : DelegatingChatClient(client)
{
    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        (messages, options) = Known(messages, options);
        try
        {
            return await base.GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or NullReferenceException or KeyNotFoundException or FormatException or OverflowException)
        {
            // The library reads what came without a look at its form, so JSON of another form ends in any of these.
            throw new ChatFailedException($"What the server sent is no chat completion, though it said that all was well ({e.Message.ReplaceLineEndings(" ")})", mayPass: true, e);
        }
    }

    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        (messages, options) = Known(messages, options);
        await foreach (ChatResponseUpdate update in base.GetStreamingResponseAsync(messages, options, cancellationToken).ConfigureAwait(false))
        {
            yield return update;
        }
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            connections.Dispose();
        }
    }

    private (IEnumerable<ChatMessage> Messages, ChatOptions? Options) Known(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        JsonElement? schema = form == AnswerForm.JsonSchema ? null : (options?.ResponseFormat as ChatResponseFormatJson)?.Schema;
        if (options is null || (schema is null && (sendSeed || options.Seed is null)))
        {
            return (messages, options);
        }
        options = options.Clone();
        options.Seed = sendSeed ? options.Seed : null;
        if (schema is { } said)
        {
            options.ResponseFormat = form == AnswerForm.JsonObject ? ChatResponseFormat.Json : null;
            messages = WithWords(messages, TextResource.Embedded("form.txt").Replace("{schema}", said.GetRawText(), StringComparison.Ordinal));
        }
        return (messages, options);
    }

    // At the end of the instructions rather than as a message of its own: some models take one system message only, and that first.
    private static IEnumerable<ChatMessage> WithWords(IEnumerable<ChatMessage> messages, string words)
    {
        List<ChatMessage> all = [.. messages];
        if (all.Count > 0 && all[0].Role == ChatRole.System)
        {
            all[0] = new ChatMessage(ChatRole.System, $"{all[0].Text.TrimEnd()}\n\n{words}");
        }
        else
        {
            all.Insert(0, new ChatMessage(ChatRole.System, words));
        }
        return all;
    }
}
