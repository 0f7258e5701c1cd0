using System.Text.Json;

namespace Dsd.Dataset.Formats;

/// <summary>A row's caption and details as members of a JSON object, as imagefolders and tars have them.</summary>
internal static class DetailsJson
{
    /// <summary>The longest object that is read, in bytes.</summary>
    public const int MaxBytes = 1024 * 1024;

    public static readonly JsonWriterOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <summary>Writes all members, those without a value as null.</summary>
    public static void Write(Utf8JsonWriter json, string caption, PairDetails details)
    {
        json.WriteString("caption", caption);
        foreach (DetailColumn column in DetailColumn.All)
        {
            json.WritePropertyName(column.Name);
            switch (column.Get(details))
            {
                case null:
                    json.WriteNullValue();
                    break;
                case string text:
                    json.WriteStringValue(text);
                    break;
                case bool flag:
                    json.WriteBooleanValue(flag);
                    break;
                case double number:
                    json.WriteNumberValue(number);
                    break;
                case int count:
                    json.WriteNumberValue(count);
                    break;
                case IReadOnlyList<string> texts:
                    json.WriteStartArray();
                    foreach (string text in texts)
                    {
                        json.WriteStringValue(text);
                    }
                    json.WriteEndArray();
                    break;
            }
        }
    }

    /// <summary>Reads an object.</summary>
    /// <exception cref="DatasetException">It is none.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> utf8, string place)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(utf8, Strict);
        }
        catch (JsonException e)
        {
            throw new DatasetException(place, "one JSON object", $"none ({e.Message})", e);
        }
        if (document.RootElement.ValueKind == JsonValueKind.Object)
        {
            return document;
        }
        JsonValueKind kind = document.RootElement.ValueKind;
        document.Dispose();
        throw new DatasetException(place, "one JSON object", $"{kind}");
    }

    /// <summary>A member that must be a text.</summary>
    public static string Text(JsonElement row, string name, string place) =>
        row.TryGetProperty(name, out JsonElement value)
            ? (string?)Value(value, DetailKind.Text, $"{place}, column '{name}'") ?? throw new DatasetException($"{place}, column '{name}'", "a text", "null")
            : throw new DatasetException(place, $"a column '{name}'", $"only {Names(row)}");

    /// <summary>The details of an object; members of other names are left alone.</summary>
    public static PairDetails Details(JsonElement row, IReadOnlyList<DetailColumn> columns, string place) => PairDetails.Of(name =>
        columns.FirstOrDefault(c => c.Name == name) is { } column && row.TryGetProperty(name, out JsonElement value) ? Value(value, column.Kind, $"{place}, column '{name}'") : null);

    /// <summary>The columns that an object has.</summary>
    public static IReadOnlyList<DetailColumn> Columns(JsonElement row) => [.. DetailColumn.All.Where(c => row.TryGetProperty(c.Name, out _))];

    private static object? Value(JsonElement value, DetailKind kind, string place)
    {
        return (kind, value.ValueKind) switch
        {
            (_, JsonValueKind.Null) => null,
            (DetailKind.Text, JsonValueKind.String) => Decoded(value),
            (DetailKind.Flag, JsonValueKind.True or JsonValueKind.False) => value.GetBoolean(),
            (DetailKind.Number, JsonValueKind.Number) when value.TryGetDouble(out double number) && double.IsFinite(number) => number,
            (DetailKind.Count, JsonValueKind.Number) when value.TryGetInt32(out int count) => count,
            (DetailKind.Texts, JsonValueKind.Array) => (string[])[.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String ? Decoded(item) : throw Wrong(item))],
            _ => throw Wrong(value),
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

        DatasetException Wrong(JsonElement found) => new(place, $"a value of kind {kind}", $"{found.ValueKind}. {PairDatasetOptions.HowToLeaveOut}");
    }

    private static string Names(JsonElement row)
    {
        string names = string.Join(", ", row.EnumerateObject().Take(20).Select(p => $"'{p.Name}'"));
        return names.Length <= 400 ? names : $"{names[..400]}…";
    }
}
