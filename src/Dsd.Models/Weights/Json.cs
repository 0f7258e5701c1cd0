using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Common.Files;

namespace Dsd.Models.Weights;

/// <summary>Reads the JSON files of a model folder: bounded in size and depth, snake case, unknown fields skipped, required ones checked.</summary>
internal static class Json
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        AllowDuplicateProperties = false,
        MaxDepth = 32,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    };

    private static readonly JsonDocumentOptions DocumentOptions = new() { MaxDepth = 32, AllowDuplicateProperties = false };

    public static T Read<T>(string path, long maxBytes = 4_000_000)
    {
        ReadOnlyMemory<byte> text = Text(path, maxBytes);
        try
        {
            T value = JsonSerializer.Deserialize<T>(text.Span, Options) ?? throw new WeightsException(path, "a JSON object", "null");
            (value as IModelConfig)?.Validate();
            return value;
        }
        catch (JsonException e)
        {
            throw Wrong(path, e);
        }
        catch (ArgumentException e)
        {
            // From the checks of the config records.
            throw new WeightsException(path, "values that describe a model", e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>A file whose fields are looked at one by one. The caller disposes of it.</summary>
    public static JsonDocument Document(string path, long maxBytes = 4_000_000)
    {
        ReadOnlyMemory<byte> text = Text(path, maxBytes);
        try
        {
            JsonDocument document = JsonDocument.Parse(text, DocumentOptions);
            string? fault = document.RootElement.ValueKind != JsonValueKind.Object
                ? $"{document.RootElement.ValueKind}"
                : HasHalves(text.Span) ? "an escaped half of a surrogate pair in it" : null;
            if (fault is null)
            {
                return document;
            }
            document.Dispose();
            throw new WeightsException(path, "a JSON object", fault);
        }
        catch (JsonException e)
        {
            throw Wrong(path, e);
        }
    }

    /// <summary>A file's bytes, where it is not larger than a bound and of no foreign kind.</summary>
    public static byte[] Bytes(string path, long maxBytes) => SmallFile.Bytes(Existing(path), maxBytes, Refusal(path));

    /// <summary>A file's text, bounded and in strict UTF-8, without a byte-order mark.</summary>
    public static ReadOnlyMemory<byte> Text(string path, long maxBytes)
    {
        ReadOnlyMemory<byte> text = SmallFile.Utf8(Existing(path), maxBytes, Refusal(path));
        return FileKind.ServerAnswer(text.Span) is { } answer ? throw new WeightsException(path, "what its name promises", answer) : text;
    }

    /// <summary>Whether a string is none once its escapes are read, which is found out late and without a place otherwise.</summary>
    private static bool HasHalves(ReadOnlySpan<byte> text)
    {
        if (text.IndexOf("\\ud"u8) < 0 && text.IndexOf("\\uD"u8) < 0)
        {
            return false;
        }
        Utf8JsonReader reader = new(text, new JsonReaderOptions { MaxDepth = DocumentOptions.MaxDepth });
        try
        {
            while (reader.Read())
            {
                _ = reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName ? reader.GetString() : null;
            }
            return false;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }

    private static string Existing(string path) =>
        File.Exists(path) ? path : throw new WeightsException(path, "a file", Directory.Exists(path) ? "a folder" : "nothing there");

    private static SmallFile.Refusal Refusal(string path) => (expected, found) => new WeightsException(path, expected, found);

    // Without the exception itself, whose text names types of the program.
    private static WeightsException Wrong(string path, JsonException e) => new(path, "JSON with the fields that are needed", JsonFault.Of(e));
}
