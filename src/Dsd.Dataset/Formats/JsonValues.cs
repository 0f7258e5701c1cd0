using System.Text.Json;

namespace Dsd.Dataset.Formats;

/// <summary>The members of a JSON object as columns.</summary>
internal sealed class JsonValues : RowValues
{
    /// <summary>The longest object that is read, in bytes.</summary>
    public const int MaxBytes = 1024 * 1024;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    private readonly Dictionary<string, JsonElement> _members;

    private JsonValues(Dictionary<string, JsonElement> members) => _members = members;

    public override IEnumerable<string> Names => _members.Keys;

    /// <summary>Reads an object.</summary>
    /// <exception cref="DatasetException">It is none, or is not UTF-8.</exception>
    public static JsonValues Parse(ReadOnlyMemory<byte> text, string place)
    {
        ReadOnlyMemory<byte> utf8 = StrictText.Checked(text, place);
        try
        {
            using JsonDocument document = JsonDocument.Parse(utf8, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new DatasetException(place, "one JSON object", $"{document.RootElement.ValueKind}");
            }
            return new JsonValues(document.RootElement.Clone().EnumerateObject().ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal));
        }
        catch (JsonException e)
        {
            throw new DatasetException(place, "one JSON object", $"none ({e.Message})", e);
        }
        catch (InvalidOperationException e)
        {
            throw new DatasetException(place, "names of whole characters", "half a surrogate pair", e);
        }
    }

    public override bool Has(string name) => _members.ContainsKey(name);

    protected override object? Value(string name, DetailKind kind, string place)
    {
        JsonElement value = _members[name];
        return (kind, value.ValueKind) switch
        {
            (_, JsonValueKind.Null) => null,
            (DetailKind.Text, JsonValueKind.String) => Decoded(value),
            (DetailKind.Flag, JsonValueKind.True or JsonValueKind.False) => value.GetBoolean(),
            (DetailKind.Number, JsonValueKind.Number) when value.TryGetDouble(out double number) && double.IsFinite(number) => number,
            (DetailKind.Count, JsonValueKind.Number) when value.TryGetDouble(out double number) && Whole(number) is { } count => count,
            (DetailKind.Texts, JsonValueKind.Array) =>
                (string[])[.. value.EnumerateArray().Select(
                    item => item.ValueKind == JsonValueKind.String ? Decoded(item) : throw Wrong(place, kind, $"{item.ValueKind}"))],
            _ => throw Wrong(place, kind, $"{value.ValueKind}"),
        };

        string Decoded(JsonElement text)
        {
            try
            {
                return text.GetString()!;
            }
            catch (InvalidOperationException e)
            {
                throw new DatasetException(place, "a text of whole characters", "half a surrogate pair", e);
            }
        }
    }
}
