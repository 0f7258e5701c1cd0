using System.Text;
using System.Text.Json;

namespace Dsd.Dataset.Formats;

/// <summary>The columns in the words of Hugging Face <c>datasets</c>: as JSON for a Parquet file's metadata, and as YAML for a dataset's card.</summary>
internal static class HuggingFaceFeatures
{
    /// <summary>The key of a Parquet file's metadata under which <c>datasets</c> looks for its features.</summary>
    public const string MetadataKey = "huggingface";

    /// <summary>The metadata's value.</summary>
    public static string Json()
    {
        Dictionary<string, object> features = new()
        {
            ["image"] = new { _type = "Image" },
            ["conditioning"] = new { _type = "Image" },
            ["caption"] = Value("string"),
        };
        foreach (DetailColumn column in DetailColumn.All)
        {
            // 'Sequence' is what every version reads: those before 4 do not know 'List', and those after take the one for the other.
            features.Add(column.Name, column.Kind == DetailKind.Texts ? new { feature = Value(column.DType), _type = "Sequence" } : Value(column.DType));
        }
        return JsonSerializer.Serialize(new { info = new { features } });
    }

    /// <summary>The features of a row in a Parquet file, as YAML.</summary>
    /// <param name="indent">Spaces before each line.</param>
    public static string ParquetYaml(int indent) => Lines(indent, [Image("image"), Image("conditioning"), Scalar("caption", "string"), .. Details()]);

    /// <summary>The features of a sample in a tar, as YAML: one a member, and what the reader adds.</summary>
    /// <param name="indent">Spaces before each line.</param>
    /// <param name="extension">What the pictures' names end in.</param>
    public static string TarYaml(int indent, string extension) => Lines(
        indent,
        [
            Image($"image{extension}"), Image($"conditioning{extension}"),
            ["- name: json", "  struct:", .. new[] { Scalar("caption", "string") }.Concat(Details()).SelectMany(lines => lines.Select(line => $"  {line}"))],
            Scalar("__key__", "string"), Scalar("__url__", "string"),
        ]);

    private static object Value(string dtype) => new { dtype, _type = "Value" };

    private static string[] Image(string name) => Scalar(name, "image");

    private static string[] Scalar(string name, string dtype) => [$"- name: {name}", $"  dtype: {dtype}"];

    private static IEnumerable<string[]> Details() =>
        DetailColumn.All.Select(c => c.Kind == DetailKind.Texts ? [$"- name: {c.Name}", $"  sequence: {c.DType}"] : Scalar(c.Name, c.DType));

    private static string Lines(int indent, IEnumerable<string[]> features)
    {
        StringBuilder yaml = new();
        foreach (string line in features.SelectMany(f => f))
        {
            yaml.Append(' ', indent).Append(line).Append('\n');
        }
        return yaml.ToString();
    }
}
