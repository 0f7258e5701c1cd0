using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Curation.Grids;

namespace Dsd.MLNet.Stages.Saving;

/// <summary>A grid's layout as it is written: <c>2x2</c>.</summary>
internal sealed class GridLayoutConverter : JsonConverter<GridLayout>
{
    public override GridLayout Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        GridLayout.TryParse(reader.GetString(), out GridLayout? layout) ? layout : throw new JsonException("expected a layout such as 2x2");

    public override void Write(Utf8JsonWriter writer, GridLayout value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
