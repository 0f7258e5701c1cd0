using System.Text.Json;
using Dsd.Common.Files;
using Dsd.Curation;
using Dsd.Evaluation.Running;

namespace Dsd.Evaluation.Benchmarks.InContext;

/// <summary>
/// The items of a benchmark and a system's pictures. Items are a file of JSON lines with the fields of the published data set; the pictures lie as
/// <c>fullset/TASK/KEY.png</c>. What is in both is untrusted.
/// </summary>
/// <remarks>
/// A line is <c>{"key", "task_type", "instruction", "instruction_language", "input_images": ["a.png", …], "output_image": "truth.png"}</c>, the last for
/// OSBench alone. Paths are relative to the file. The data sets are published as Parquet with the pictures inside: unpack them to files.
/// </remarks>
public sealed class ContextFolder
{
    private const int MostBytes = 64 * 1024 * 1024;
    private const int MostItems = 100_000;
    private const int MostReferences = 16;

    private readonly string _generated;

    private ContextFolder(string generated, IReadOnlyList<ContextItem> items, IReadOnlyList<string> missing) =>
        (_generated, Items, Missing) = (generated, items, missing);

    /// <summary>The items that have a generated picture, in the order of the file.</summary>
    public IReadOnlyList<ContextItem> Items { get; }

    /// <summary>The names of items that the system has no picture for. As in the original code they do not count.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Reads the items. Pictures are not opened.</summary>
    /// <param name="items">The file of items.</param>
    /// <param name="generated">The system's folder, with <c>fullset</c> in it.</param>
    /// <exception cref="InvalidDataException">
    /// A line is no item, a picture that it names is missing, or the system has no picture; the message names the line.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ContextFolder Open(string items, string generated)
    {
        ArgumentException.ThrowIfNullOrEmpty(items);
        ArgumentException.ThrowIfNullOrEmpty(generated);
        string folder = Path.GetDirectoryName(Path.GetFullPath(items))!;
        string[] lines = SmallFile.Text(items, MostBytes, (expected, found) => new InvalidDataException($"File '{items}': expected {expected}, found {found}."))
            .Split('\n');
        (List<ContextItem> found, List<string> missing, HashSet<string> names) = ([], [], new(StringComparer.Ordinal));
        for (int i = 0; i < lines.Length; i++)
        {
            if (string.IsNullOrWhiteSpace(lines[i]))
            {
                continue;
            }
            ContextItem item;
            try
            {
                item = Item(lines[i], folder, Path.Combine(generated, "fullset"));
            }
            catch (FormatException e)
            {
                throw new InvalidDataException($"File '{items}', line {i + 1}: {e.Message}", e);
            }
            if (!names.Add(item.Name) || names.Count > MostItems)
            {
                throw new InvalidDataException(
                    $"File '{items}', line {i + 1}: expected at most {MostItems} items of different names, found '{item.Name}' once more.");
            }
            if (item.Generated.Length > 0)
            {
                found.Add(item);
            }
            else
            {
                missing.Add(item.Name);
            }
        }
        return found.Count > 0
            ? new ContextFolder(generated, found, missing)
            : throw new InvalidDataException($"Folder '{generated}': expected pictures as fullset/TASK/KEY.png for the items of '{items}', found none.");
    }

    /// <summary>The folder's pictures for an <see cref="EvaluationRun"/>: an item is a subject of its own, its category the kind of its task.</summary>
    /// <param name="benchmark">Whose items they are.</param>
    /// <exception cref="InvalidDataException">OSBench needs true pictures, and an item has none; the message names it.</exception>
    public EvaluationSystem AsSystem(ContextBenchmark benchmark)
    {
        if (benchmark == ContextBenchmark.OSBench && Items.FirstOrDefault(i => i.Truth is null) is { } without)
        {
            throw new InvalidDataException($"Item '{without.Name}': expected a true picture ('output_image'), which OSBench's questions show, found none.");
        }
        return new EvaluationSystem(BenchmarkFiles.NameOf(_generated),
        [
            .. Items.Select(i => new EvaluationItem
            {
                Key = i.Name,
                Subject = i.Name,
                Category = i.Task,
                ReferenceFile = i.References[0],
                FurtherReferenceFiles = [.. i.References.Skip(1)],
                TruthFile = i.Truth,
                GeneratedFile = i.Generated,
                Prompt = i.Instruction,
            }),
        ])
        {
            Benchmark = new SystemBenchmark(benchmark.ToString(), scores => ContextScores.Of(Items, benchmark, scores).Figures()),
        };
    }

    private static ContextItem Item(string line, string folder, string generated)
    {
        using JsonDocument document = AnswerJson.Parse(line, 64 * 1024);
        JsonElement root = document.RootElement;
        foreach (string field in new[] { "key", "task_type", "instruction", "instruction_language", "input_images" })
        {
            if (!root.TryGetProperty(field, out _))
            {
                throw new FormatException($"the field '{field}' is missing.");
            }
        }
        (string key, string task) = (Name("key"), Name("task_type"));
        string[] references = [.. AnswerJson.Texts(root, "input_images", MostReferences, 1000).Select(Existing)];
        string output = Path.Combine(generated, task, $"{key}.png");
        return references.Length > 0
            ? new ContextItem(
                key,
                task,
                AnswerJson.Text(root, "instruction", 16 * 1024),
                AnswerJson.Text(root, "instruction_language", 20),
                references,
                File.Exists(output) ? output : "",
                root.TryGetProperty("output_image", out _) ? Existing(AnswerJson.Text(root, "output_image", 1000)) : null)
            : throw new FormatException("field 'input_images': expected at least one picture, found none.");

        // Names of files and folders, and the file may come from anywhere.
        string Name(string field) => AnswerJson.Text(root, field, 200) is var name && name is not ("." or "..") && name.AsSpan().IndexOfAny('/', '\\', '\0') < 0
            ? name
            : throw new FormatException($"field '{field}': expected a name that can be that of a file, found '{AnswerJson.Excerpt(name)}'.");

        string Existing(string path) => Path.Combine(folder, path) is var file && File.Exists(file)
            ? file
            : throw new FormatException($"expected a picture at '{file}', found none.");
    }
}
