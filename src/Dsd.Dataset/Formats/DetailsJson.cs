using System.Text.Json;

namespace Dsd.Dataset.Formats;

/// <summary>Writes a row's caption and details as members of a JSON object, as imagefolders and tars have them; <see cref="JsonValues"/> reads them.</summary>
internal static class DetailsJson
{
    public static readonly JsonWriterOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes all members, those without a value as null.</summary>
    public static void Write(Utf8JsonWriter json, string caption, PairDetails details, IReadOnlyList<DetailColumn> columns)
    {
        json.WriteString("caption", caption);
        foreach (DetailColumn column in columns)
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
}
