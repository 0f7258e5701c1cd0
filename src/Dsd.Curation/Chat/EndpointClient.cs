using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Chat;

/// <summary>
/// A client of OpenAI's protocol that takes answers as servers really send them: see <see cref="ChatAnswer"/>. It leaves out of questions
/// what its server does not know.
/// </summary>
internal sealed class EndpointClient(ChatEndpoint endpoint, EndpointConnection connection) : IChatClient
{
    private readonly ChatClientMetadata _metadata = new("openai", endpoint.Address, endpoint.Model);

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        string body = await connection.PostAsync(Question(messages, options, stream: false), cancellationToken).ConfigureAwait(false);
        return Read(body, ChatAnswer.Read);
    }

    /// <summary>The pieces as they come. Unlike a whole answer, a key that a server spreads over several of them stays in.</summary>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        using HttpResponseMessage response = await connection.SendAsync(Question(messages, options, stream: true), cancellationToken).ConfigureAwait(false);
        Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using BoundedStream bounded = new(stream, EndpointConnection.MaxAnswerBytes);
        bool isWhole = false;
        await foreach (SseItem<string> item in SseParser.Create(bounded).EnumerateAsync(cancellationToken).ConfigureAwait(false))
        {
            if (item.Data == "[DONE]")
            {
                yield break;
            }
            if (Read(item.Data, ChatAnswer.ReadPiece) is { } update)
            {
                isWhole |= update.FinishReason is not null;
                yield return update;
            }
        }
        if (!isWhole)
        {
            throw new IOException("What the server streamed ends before the answer's end.");
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null : serviceType == typeof(ChatClientMetadata) ? _metadata : serviceType.IsInstanceOfType(this) ? this : null;
    }

    public void Dispose() => connection.Dispose();

    private T Read<T>(string body, Func<string, KeyRedactor, T> read)
    {
        try
        {
            return read(body, connection.Key);
        }
        catch (ChatAnswerException e)
        {
            throw connection.Unread(body, e);
        }
        catch (IOException e)
        {
            throw connection.Broken(body, e);
        }
    }

    private byte[] Question(IEnumerable<ChatMessage> messages, ChatOptions? options, bool stream)
    {
        (messages, options) = Known(messages, options);
        return ChatRequest.Write(messages, options, endpoint.Model, stream);
    }

    private (IEnumerable<ChatMessage> Messages, ChatOptions? Options) Known(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        JsonElement? schema = endpoint.AnswerForm == AnswerForm.JsonSchema ? null : (options?.ResponseFormat as ChatResponseFormatJson)?.Schema;
        if (options is null || (schema is null && (endpoint.SendSeed || options.Seed is null)))
        {
            return (messages, options);
        }
        options = options.Clone();
        options.Seed = endpoint.SendSeed ? options.Seed : null;
        if (schema is { } said)
        {
            options.ResponseFormat = endpoint.AnswerForm == AnswerForm.JsonObject ? ChatResponseFormat.Json : null;
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
