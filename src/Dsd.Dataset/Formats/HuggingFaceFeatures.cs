using System.Text;
using System.Text.Json;

namespace Dsd.Dataset.Formats;

/// <summary>The columns in the words of Hugging Face <c>datasets</c>: as JSON for a Parquet file's metadata, and as YAML for a dataset's card.</summary>
internal static class HuggingFaceFeatures
{
    /// <summary>The key of a Parquet file's metadata under which <c>datasets</c> looks for its features.</summary>
    public const string MetadataKey = "huggingface";

    /// <summary>The metadata's value.</summary>
    public static string Json(DatasetWriteOptions options)
    {
        Dictionary<string, object> features = [];
        foreach (string picture in Pictures(options))
        {
            features.Add(picture, new { _type = "Image" });
        }
        features.Add("caption", Value("string"));
        foreach (DetailColumn column in DetailColumn.Written(options))
        {
            // 'Sequence' is what every version reads: those before 4 do not know 'List', and those after take the one for the other.
            features.Add(column.Name, column.Kind == DetailKind.Texts ? new { feature = Value(column.DType), _type = "Sequence" } : Value(column.DType));
        }
        return JsonSerializer.Serialize(new { info = new { features } });
    }

    /// <summary>The features of a row in a Parquet file, as YAML.</summary>
    /// <param name="indent">Spaces before each line.</param>
    /// <param name="options">Which columns there are.</param>
    public static string ParquetYaml(int indent, DatasetWriteOptions options) =>
        Lines(indent, [.. Pictures(options).Select(Image), Scalar("caption", "string"), .. Details(options)]);

    /// <summary>The features of a sample in a tar, as YAML: one a member, and what the reader adds.</summary>
    /// <param name="indent">Spaces before each line.</param>
    /// <param name="options">Which columns there are, and what the pictures' names end in.</param>
    public static string TarYaml(int indent, DatasetWriteOptions options) => Lines(
        indent,
        [
            .. Pictures(options).Select(picture => Image($"{picture}{options.PictureExtension}")),
            [
                "- name: json", "  struct:",
                .. new[] { Scalar("caption", "string") }.Concat(Details(options)).SelectMany(lines => lines.Select(line => $"  {line}")),
            ],
            Scalar("__key__", "string"), Scalar("__url__", "string"),
        ]);

    private static IEnumerable<string> Pictures(DatasetWriteOptions options) =>
        ["image", "conditioning", .. PairRecord.FurtherColumns("conditioning").Take(options.References - 1)];

    private static object Value(string dtype) => new { dtype, _type = "Value" };

    private static string[] Image(string name) => Scalar(name, "image");

    private static string[] Scalar(string name, string dtype) => [$"- name: {name}", $"  dtype: {dtype}"];

    private static IEnumerable<string[]> Details(DatasetWriteOptions options) =>
        DetailColumn.Written(options).Select(c => c.Kind == DetailKind.Texts ? [$"- name: {c.Name}", $"  sequence: {c.DType}"] : Scalar(c.Name, c.DType));

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
