using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Chat;

/// <summary>Writes a question as OpenAI's protocol has it. What it cannot hold is refused, not left out.</summary>
internal static class ChatRequest
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The body.</summary>
    /// <param name="messages">What is said: texts of system, user and assistant, and pictures of the user.</param>
    /// <param name="options">How it is to be answered.</param>
    /// <param name="model">The model, where the options name none.</param>
    /// <param name="stream">Whether the answer is to come in pieces.</param>
    /// <exception cref="ArgumentException">There is something in it that the protocol, or this client, does not know.</exception>
    public static byte[] Write(IEnumerable<ChatMessage> messages, ChatOptions? options, string model, bool stream)
    {
        Refuse(options);
        using MemoryStream body = new();
        using (Utf8JsonWriter json = new(body, Relaxed))
        {
            json.WriteStartObject();
            json.WriteString("model", options?.ModelId ?? model);
            json.WriteStartArray("messages");
            if (!string.IsNullOrEmpty(options?.Instructions))
            {
                Write(json, new ChatMessage(ChatRole.System, options.Instructions));
            }
            foreach (ChatMessage message in messages)
            {
                Write(json, message);
            }
            json.WriteEndArray();
            if (options is not null)
            {
                Write(json, options);
            }
            if (stream)
            {
                json.WriteBoolean("stream", true);
                json.WriteStartObject("stream_options");
                json.WriteBoolean("include_usage", true);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return body.ToArray();
    }

    private static void Write(Utf8JsonWriter json, ChatMessage message)
    {
        if (message.Role != ChatRole.System && message.Role != ChatRole.User && message.Role != ChatRole.Assistant)
        {
            throw new ArgumentException($"A chat message must be of role system, user or assistant, but is of role '{message.Role}'.", nameof(message));
        }
        json.WriteStartObject();
        json.WriteString("role", message.Role.Value);
        if (message.AuthorName is { } author)
        {
            json.WriteString("name", author);
        }
        // What a model thought or refused is not said to it again.
        AIContent[] contents = [.. message.Contents.Where(c => c is not (TextReasoningContent or UsageContent or ErrorContent))];
        if (contents.All(c => c is TextContent) && contents.Length <= 1)
        {
            json.WriteString("content", message.Text);
        }
        else
        {
            json.WriteStartArray("content");
            foreach (AIContent content in contents)
            {
                Write(json, content);
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, AIContent content)
    {
        json.WriteStartObject();
        switch (content)
        {
            case TextContent text:
                json.WriteString("type", "text");
                json.WriteString("text", text.Text);
                break;
            case DataContent data when data.HasTopLevelMediaType("image"):
                Picture(data, data.Uri);
                break;
            case UriContent link when link.HasTopLevelMediaType("image"):
                Picture(link, link.Uri.AbsoluteUri);
                break;
            default:
                throw new ArgumentException(
                    "A chat message may hold texts and pictures, but holds "
                    + $"'{(content as DataContent)?.MediaType ?? (content as UriContent)?.MediaType ?? content.GetType().Name}'.",
                    nameof(content));
        }
        json.WriteEndObject();

        void Picture(AIContent picture, string address)
        {
            json.WriteString("type", "image_url");
            json.WriteStartObject("image_url");
            json.WriteString("url", address);
            // As Microsoft's own client for OpenAI has it: how closely the model looks.
            if (picture.AdditionalProperties?.TryGetValue("detail", out string? detail) == true)
            {
                json.WriteString("detail", detail);
            }
            json.WriteEndObject();
        }
    }

    private static void Write(Utf8JsonWriter json, ChatOptions options)
    {
        void Number(string name, float? value)
        {
            if (value is { } number)
            {
                json.WriteNumber(name, number);
            }
        }
        void Whole(string name, long? value)
        {
            if (value is { } number)
            {
                json.WriteNumber(name, number);
            }
        }
        Number("temperature", options.Temperature);
        Number("top_p", options.TopP);
        Number("frequency_penalty", options.FrequencyPenalty);
        Number("presence_penalty", options.PresencePenalty);
        Whole("top_k", options.TopK);
        Whole("max_completion_tokens", options.MaxOutputTokens);
        Whole("seed", options.Seed);
        if (options.StopSequences is { Count: > 0 } stop)
        {
            json.WriteStartArray("stop");
            foreach (string sequence in stop)
            {
                json.WriteStringValue(sequence);
            }
            json.WriteEndArray();
        }
        if (options.Reasoning?.Effort is { } effort)
        {
            json.WriteString("reasoning_effort", effort == ReasoningEffort.ExtraHigh ? "xhigh" : effort.ToString().ToLowerInvariant());
        }
        Write(json, options.ResponseFormat);
        foreach ((string name, object? value) in options.AdditionalProperties ?? [])
        {
            json.WritePropertyName(name);
            JsonSerializer.Serialize(json, value, AIJsonUtilities.DefaultOptions);
        }
    }

    private static void Write(Utf8JsonWriter json, ChatResponseFormat? format)
    {
        if (format is null)
        {
            return;
        }
        json.WriteStartObject("response_format");
        if (format is ChatResponseFormatJson { Schema: { } schema } form)
        {
            json.WriteString("type", "json_schema");
            json.WriteStartObject("json_schema");
            json.WriteString("name", form.SchemaName ?? "answer");
            if (form.SchemaDescription is { } description)
            {
                json.WriteString("description", description);
            }
            json.WritePropertyName("schema");
            schema.WriteTo(json);
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("type", format is ChatResponseFormatJson ? "json_object" : "text");
        }
        json.WriteEndObject();
    }

    private static void Refuse(ChatOptions? options)
    {
        string? unknown = options switch
        {
            { Tools.Count: > 0 } => nameof(options.Tools),
            { ToolMode: not null } => nameof(options.ToolMode),
            { AllowMultipleToolCalls: not null } => nameof(options.AllowMultipleToolCalls),
            { ConversationId: not null } => nameof(options.ConversationId),
            { RawRepresentationFactory: not null } => nameof(options.RawRepresentationFactory),
            { Reasoning.Output: not null } => $"{nameof(options.Reasoning)}.Output",
            _ => null,
        };
        if (unknown is not null)
        {
            throw new ArgumentException(
                $"Option {unknown} is not known to this client of OpenAI's protocol: leave it out. "
                + "What a server knows besides can be given as additional properties.",
                nameof(options));
        }
    }
}
