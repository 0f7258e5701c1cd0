using System.Text.RegularExpressions;
using Dsd.Dataset.Runs;

namespace Dsd.Dataset.Formats;

/// <summary>Finds a dataset's files, and what layout they have.</summary>
internal static partial class DatasetFiles
{
    // As deep as hubs lay splits and configurations.
    private static readonly EnumerationOptions Below = new() { RecurseSubdirectories = true, MaxRecursionDepth = 4 };

    /// <exception cref="DatasetException">There is no dataset, more than one layout, or more than one split.</exception>
    public static (PairFormat Format, IReadOnlyList<string> Files) Find(string path, string? split)
    {
        if (File.Exists(path))
        {
            return FormatOf(path) is { } format
                ? (format, [path])
                : throw new DatasetException($"'{path}'", $"a file that ends in .parquet or .tar, or is called {ImageFolderPairReader.MetadataFile}", "another");
        }
        if (!Directory.Exists(path))
        {
            throw new FileNotFoundException($"'{path}': expected a dataset's folder or file, found nothing there.", path);
        }
        ILookup<PairFormat, string> found = Directory.EnumerateFiles(path, "*", Below)
            .Where(f => FormatOf(f) is not null)
            .Order(StringComparer.Ordinal)
            .ToLookup(f => FormatOf(f)!.Value);
        return found.Count switch
        {
            1 => (found.Single().Key, OfSplit(path, [.. found.Single()], split)),
            0 when File.Exists(RunFolder.LedgerFile(path)) => throw new DatasetException($"'{path}'", "a dataset", "a run's folder: write a dataset from it first ('dsd dataset write')"),
            0 => throw new DatasetException($"'{path}'", $"Parquet files, tars or a {ImageFolderPairReader.MetadataFile}", "none of these"),
            _ => throw new DatasetException($"'{path}'", "one layout", $"{string.Join(" and ", found.Select(g => $"{g.Key} ('{Path.GetRelativePath(path, g.First())}')"))}. Name the folder or the file of one of them"),
        };
    }

    private static PairFormat? FormatOf(string file) => Path.GetExtension(file).ToLowerInvariant() switch
    {
        ".parquet" => PairFormat.Parquet,
        ".tar" => PairFormat.WebDataset,
        ".jsonl" when Path.GetFileName(file) == ImageFolderPairReader.MetadataFile => PairFormat.ImageFolder,
        _ => null,
    };

    private static IReadOnlyList<string> OfSplit(string path, IReadOnlyList<string> files, string? split)
    {
        ILookup<string, string> splits = files.ToLookup(f => SplitOf(path, f));
        string names = string.Join(", ", splits.Select(s => s.Key).Order(StringComparer.Ordinal).Take(20));
        return split is not null
            ? splits.Contains(split) ? [.. splits[split]] : throw new DatasetException($"'{path}'", $"a split '{split}'", $"only {names}")
            : splits.Count == 1 ? files : throw new DatasetException($"'{path}'", "one split", $"{names}. Say which with the option {nameof(PairDatasetOptions.Split)}");
    }

    /// <summary>A file's split: what its name begins with, or the folder that an imagefolder's metadata lies in; else train.</summary>
    private static string SplitOf(string path, string file)
    {
        if (Path.GetFileName(file) == ImageFolderPairReader.MetadataFile)
        {
            string folder = Path.GetRelativePath(path, Path.GetDirectoryName(file)!);
            return folder == "." ? "train" : Path.GetFileName(folder);
        }
        Match match = Sharded().Match(Path.GetFileNameWithoutExtension(file));
        return match.Success ? match.Groups["split"].Value : "train";
    }

    [GeneratedRegex("^(?<split>.+)-[0-9]{5}-of-[0-9]{5}$")]
    private static partial Regex Sharded();
}
