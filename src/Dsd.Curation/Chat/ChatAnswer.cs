using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Chat;

/// <summary>
/// Reads a chat completion for what is needed of it: text, refusal and reasoning of the first choice, why it ended, the model's name, and
/// token counts. Servers differ in all else, and much of that is not as OpenAI's own has it (<c>finish_reason</c> null or of another name,
/// counts such as <c>10.0</c>, parts of further kinds), so nothing else is looked at.
/// </summary>
internal static class ChatAnswer
{
    private const int MaxName = 200;

    /// <summary>The answer, with the key taken out of its texts.</summary>
    /// <exception cref="ChatAnswerException">It is none.</exception>
    /// <exception cref="IOException">It breaks off.</exception>
    public static ChatResponse Read(string body, KeyRedactor key)
    {
        using JsonDocument document = Parse(body);
        JsonElement root = document.RootElement;
        UsageDetails? usage = Usage(root);
        JsonElement choice = FirstChoice(root, usage);
        if (!choice.TryGetProperty("message", out JsonElement message) || message.ValueKind != JsonValueKind.Object)
        {
            throw Wrong(root, "its first choice has no message", usage);
        }
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, Contents(message, key, usage)))
        {
            ModelId = Name(root, "model", key),
            FinishReason = Name(choice, "finish_reason", key) is { } reason ? new ChatFinishReason(reason) : null,
            Usage = usage,
        };
    }

    /// <summary>A piece of a stream; null where it says nothing.</summary>
    /// <exception cref="ChatAnswerException">It is none.</exception>
    /// <exception cref="IOException">It breaks off.</exception>
    public static ChatResponseUpdate? ReadPiece(string data, KeyRedactor key)
    {
        using JsonDocument document = Parse(data);
        JsonElement root = document.RootElement;
        UsageDetails? usage = Usage(root);
        List<AIContent> contents = usage is null ? [] : [new UsageContent(usage)];
        if (ServerWords.IsError(root))
        {
            throw Wrong(root, "", usage);
        }
        // The last piece often has counts and no choices.
        if (Choices(root) is null)
        {
            return contents.Count == 0 ? null : new ChatResponseUpdate(ChatRole.Assistant, contents);
        }
        JsonElement choice = FirstChoice(root, usage);
        if (choice.TryGetProperty("delta", out JsonElement delta) && delta.ValueKind == JsonValueKind.Object)
        {
            contents.InsertRange(0, Contents(delta, key, usage));
        }
        return new ChatResponseUpdate(ChatRole.Assistant, contents)
        {
            ModelId = Name(root, "model", key),
            FinishReason = Name(choice, "finish_reason", key) is { } reason ? new ChatFinishReason(reason) : null,
        };
    }

    /// <summary>The text of a JSON string. Half a surrogate pair stays what it is, for the answer's reader to refuse.</summary>
    internal static string Text(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Unescaped(value.GetRawText().AsSpan()[1..^1]);
        }
    }

    private static JsonDocument Parse(string body)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            throw BreaksOff(body)
                ? new IOException($"what the server sent breaks off after {body.Length} characters.")
                : new ChatAnswerException("it is no JSON");
        }
    }

    /// <summary>Whether the body is the beginning of some JSON: cut on its way, where other text was never any.</summary>
    private static bool BreaksOff(string body)
    {
        Utf8JsonReader reader = new(Encoding.UTF8.GetBytes(body), isFinalBlock: false, default);
        try
        {
            while (reader.Read())
            {
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The list of choices; null where there is none, or it is empty.</summary>
    private static JsonElement? Choices(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object
        && root.TryGetProperty("choices", out JsonElement choices)
        && choices.ValueKind == JsonValueKind.Array
        && choices.GetArrayLength() > 0
            ? choices
            : null;

    private static JsonElement FirstChoice(JsonElement root, UsageDetails? usage)
    {
        if (Choices(root) is not { } choices || choices[0].ValueKind != JsonValueKind.Object)
        {
            throw Wrong(root, "it has no choices", usage);
        }
        JsonElement choice = choices[0];
        // Routers put what the model's own server said here.
        return choice.TryGetProperty("error", out JsonElement error) && error.ValueKind == JsonValueKind.Object ? throw Wrong(choice, "", usage) : choice;
    }

    private static ChatAnswerException Wrong(JsonElement where, string why, UsageDetails? usage) =>
        new(why) { IsError = ServerWords.IsError(where), Code = ServerWords.IsError(where) ? ServerWords.Code(where) : null, Usage = usage };

    private static List<AIContent> Contents(JsonElement message, KeyRedactor key, UsageDetails? usage)
    {
        List<AIContent> contents = [];
        foreach (string name in new[] { "reasoning_content", "reasoning" })
        {
            if (Of(message, name, key) is { } reasoning)
            {
                contents.Add(new TextReasoningContent(reasoning));
                break;
            }
        }
        if (message.TryGetProperty("content", out JsonElement content))
        {
            switch (content.ValueKind)
            {
                case JsonValueKind.Null:
                    break;
                case JsonValueKind.String or JsonValueKind.Object:
                    contents.AddRange(Joined([Part(content, key)], key));
                    break;
                case JsonValueKind.Array:
                    contents.AddRange(Joined(content.EnumerateArray().Select(part => Part(part, key)), key));
                    break;
                default:
                    throw new ChatAnswerException($"its content is {content.GetRawText()}, where a text was expected") { Usage = usage };
            }
        }
        if (Of(message, "refusal", key) is { } refusal)
        {
            contents.Add(Refusal(refusal));
        }
        return contents;
    }

    /// <summary>All texts as one, since a key may be spread over several, and the rest.</summary>
    private static IEnumerable<AIContent> Joined(IEnumerable<AIContent?> parts, KeyRedactor key)
    {
        AIContent[] all = [.. parts.OfType<AIContent>()];
        string text = string.Concat(all.OfType<TextContent>().Select(t => t.Text));
        return [.. all.Where(p => p is not TextContent), .. text.Length == 0 ? Array.Empty<AIContent>() : [new TextContent(key.HideInAnswer(text))]];
    }

    /// <summary>One part of a content: text, a refusal, reasoning; null for what is none of these.</summary>
    private static AIContent? Part(JsonElement part, KeyRedactor key)
    {
        if (part.ValueKind == JsonValueKind.String)
        {
            return new TextContent(Text(part));
        }
        if (part.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        string kind = part.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String ? Text(type) : "text";
        return kind switch
        {
            "text" or "output_text" =>
                part.TryGetProperty("text", out JsonElement text) && text.ValueKind == JsonValueKind.String ? new TextContent(Text(text)) : null,
            "refusal" => Of(part, "refusal", key) is { } refusal ? Refusal(refusal) : null,
            _ =>
                (Of(part, "thinking", key) ?? Of(part, "reasoning", key) ?? Of(part, "text", key)) is { } reasoning
                    ? new TextReasoningContent(reasoning)
                    : null,
        };
    }

    private static ErrorContent Refusal(string words) => new(words) { ErrorCode = AnswerText.Refusal };

    /// <summary>A text field that says something; null for any other.</summary>
    private static string? Of(JsonElement parent, string name, KeyRedactor key) =>
        parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String && Text(value) is { Length: > 0 } text
            ? key.HideInAnswer(text)
            : null;

    /// <summary>A name that ends in ledgers and messages, on one line.</summary>
    private static string? Name(JsonElement parent, string name, KeyRedactor key) =>
        parent.ValueKind == JsonValueKind.Object && Of(parent, name, key) is { } text && !string.IsNullOrWhiteSpace(text)
            ? AnswerJson.Excerpt(ServerWords.Of(text), MaxName)
            : null;

    private static UsageDetails? Usage(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("usage", out JsonElement usage) || usage.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        UsageDetails details = new()
        {
            InputTokenCount = Count(usage, "prompt_tokens"),
            OutputTokenCount = Count(usage, "completion_tokens"),
            TotalTokenCount = Count(usage, "total_tokens"),
        };
        return TokenCount.Total(details) is null ? null : details;
    }

    private static long? Count(JsonElement usage, string name) =>
        usage.TryGetProperty(name, out JsonElement value)
        && (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double count)
            || value.ValueKind == JsonValueKind.String && double.TryParse(Text(value), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out count))
        && count is >= 0 and <= TokenCount.Most && count == Math.Floor(count)
            ? (long)count
            : null;

    private static string Unescaped(ReadOnlySpan<char> raw)
    {
        StringBuilder text = new(raw.Length);
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }
            char escape = raw[++i];
            text.Append(escape switch
            {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'b' => '\b',
                'f' => '\f',
                'u' => (char)ushort.Parse(raw.Slice(i + 1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
                _ => escape,
            });
            i += escape == 'u' ? 4 : 0;
        }
        return text.ToString();
    }
}
