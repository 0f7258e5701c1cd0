using System.Text.Json;
using Dsd.Common.Files;
using Dsd.Models.Weights;

namespace Dsd.Tools.Inspect;

/// <summary>The plain values of a component's config file.</summary>
internal static class ConfigValues
{
    private const long MaxBytes = 4_000_000;
    private const int MaxText = 200;
    private const int MaxList = 32;

    /// <summary>Numbers, switches, short words and short lists of them, by name; nested objects and nulls are left out.</summary>
    /// <param name="file">The file.</param>
    /// <param name="within">An object of the file whose values are meant; none are given where there is no such object. Null is the whole.</param>
    /// <exception cref="WeightsException">The file is too large or no JSON object.</exception>
    public static Dictionary<string, object> Read(string file, string? within = null)
    {
        ReadOnlyMemory<byte> json = SmallFile.Utf8(file, MaxBytes, (expected, found) => new WeightsException(file, expected, found));
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 32 });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new WeightsException(file, "a JSON object", $"{document.RootElement.ValueKind}");
            }
            Dictionary<string, object> values = [];
            JsonElement root = document.RootElement;
            if (within is not null && (!root.TryGetProperty(within, out root) || root.ValueKind != JsonValueKind.Object))
            {
                return values;
            }
            foreach (JsonProperty property in root.EnumerateObject())
            {
                if (Plain(property.Value) is { } value)
                {
                    values[property.Name] = value;
                }
            }
            return values;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new WeightsException(file, "a JSON object", e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>What the config says otherwise than the weights' shapes.</summary>
    public static IEnumerable<string> Contradictions(IReadOnlyDictionary<string, object> config, IReadOnlyDictionary<string, object> facts) =>
        facts
            .Where(fact => config.TryGetValue(fact.Key, out object? stated) && !Equals(stated, fact.Value))
            .Select(fact => $"the config says {fact.Key} {config[fact.Key]}, the weights' shapes say {fact.Value}");

    private static object? Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => value.TryGetInt64(out long whole) ? (object)whole : value.GetDouble(),
        JsonValueKind.String => Printable.Line(value.GetString()!, MaxText),
        JsonValueKind.Array when value.GetArrayLength() <= MaxList => List(value),
        _ => null,
    };

    private static object[]? List(JsonElement array)
    {
        object?[] items = [.. array.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Array ? null : Plain(item))];
        return items.Contains(null) ? null : [.. items.Select(item => item!)];
    }
}
