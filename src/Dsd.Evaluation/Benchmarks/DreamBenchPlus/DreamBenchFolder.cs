using System.Globalization;
using System.Text.RegularExpressions;
using Dsd.Common.Files;
using Dsd.Evaluation.Running;

namespace Dsd.Evaluation.Benchmarks.DreamBenchPlus;

/// <summary>
/// The folder of a system's pictures in DreamBench++'s layout: <c>src_image|tgt_image|text/COLLECTION/PROMPT_SAMPLE.jpg|txt</c>. What is in the folder is
/// untrusted.
/// </summary>
public sealed partial class DreamBenchFolder
{
    private const int MostItems = 1_000_000;
    private const int MostTextBytes = 16 * 1024;

    private DreamBenchFolder(string path, IReadOnlyList<DreamBenchItem> items) => (Path, Items) = (path, items);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>All generated pictures, by collection, prompt and sample.</summary>
    public IReadOnlyList<DreamBenchItem> Items { get; }

    /// <summary>Reads what a folder holds. Pictures are not opened.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="InvalidDataException">It is no such folder, or a file has no partner; the message names the file.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static DreamBenchFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string generated = Within(path, "tgt_image");
        string reference = Within(path, "src_image");
        string text = Within(path, "text");
        List<DreamBenchItem> items = [];
        foreach (string folder in Directory.EnumerateDirectories(generated).Order(StringComparer.Ordinal))
        {
            string collection = System.IO.Path.GetFileName(folder);
            foreach (string file in Directory.EnumerateFiles(folder).Where(BenchmarkFiles.IsPicture))
            {
                string name = System.IO.Path.GetFileNameWithoutExtension(file);
                Match parts = ItemName().Match(name);
                if (!parts.Success)
                {
                    throw new InvalidDataException($"File '{file}': expected a name such as 0_0.jpg, the prompt's index and the picture's.");
                }
                if (items.Count == MostItems)
                {
                    throw new InvalidDataException($"Folder '{path}': expected at most {MostItems} pictures, found more.");
                }
                items.Add(new DreamBenchItem(
                    collection,
                    int.Parse(parts.Groups[1].Value, CultureInfo.InvariantCulture),
                    int.Parse(parts.Groups[2].Value, CultureInfo.InvariantCulture),
                    BenchmarkFiles.Picture(System.IO.Path.Combine(reference, collection), name, $"the reference of '{file}'"),
                    file,
                    Prompt(System.IO.Path.Combine(text, collection, $"{name}.txt"))));
            }
        }
        return items.Count > 0
            ? new DreamBenchFolder(path, [.. items.OrderBy(i => i.Collection, StringComparer.Ordinal).ThenBy(i => i.Prompt).ThenBy(i => i.Sample)])
            : throw new InvalidDataException($"Folder '{generated}': expected pictures as COLLECTION/PROMPT_SAMPLE.jpg, found none.");
    }

    /// <summary>The folder's pictures for an <see cref="EvaluationRun"/>: a collection is a subject, its category the original's.</summary>
    /// <param name="everySample">Whether all pictures of a prompt are taken. False, the default: the first alone, as the original does.</param>
    public EvaluationSystem AsSystem(bool everySample = false)
    {
        DreamBenchItem[] items = [.. Items.Where(i => everySample || i.Sample == 0)];
        return new EvaluationSystem(BenchmarkFiles.NameOf(Path),
        [
            .. items.Select(i => new EvaluationItem
            {
                Key = i.Key,
                Subject = i.Collection,
                Category = i.Category == DreamBenchCategory.Other ? null : i.Category.ToString().ToLowerInvariant(),
                ReferenceFile = i.Reference,
                GeneratedFile = i.Generated,
                Prompt = i.Text,
            }),
        ])
        {
            Benchmark = new SystemBenchmark("DreamBench++", scores => DreamBenchScores.Of(items, scores).Figures()),
        };
    }

    // The first line, as the original reads it.
    private static string Prompt(string file)
    {
        if (!File.Exists(file))
        {
            throw new InvalidDataException($"File '{file}': expected the prompt, found no such file.");
        }
        string line = SmallFile.Text(file, MostTextBytes, (expected, found) => new InvalidDataException($"File '{file}': expected {expected}, found {found}."))
            .Split('\n', 2)[0].Trim();
        return line.Length > 0 ? line : throw new InvalidDataException($"File '{file}': expected the prompt in the first line, found an empty one.");
    }

    private static string Within(string path, string name)
    {
        string folder = System.IO.Path.Combine(path, name);
        return Directory.Exists(folder)
            ? folder
            : throw new InvalidDataException(
                $"Folder '{path}': expected 'src_image', 'tgt_image' and 'text' in it as DreamBench++ has them, found no '{name}'.");
    }

    [GeneratedRegex(@"\A([0-9]{1,4})_([0-9]{1,4})\z", RegexOptions.CultureInvariant)]
    private static partial Regex ItemName();
}
