namespace Dsd.Dataset.Formats;

/// <summary>Finds a dataset's files, and what layout they have.</summary>
internal static class DatasetFiles
{
    /// <summary>The endings of picture files.</summary>
    public static readonly IReadOnlyList<string> PictureEndings = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];

    /// <summary>The ledger in the folder of a curation run (<c>RunFolder</c> of Dsd.Runs), which is often given in place of a dataset.</summary>
    private const string RunLedger = "ledger.db";

    private const string OrSplit = $"Say which with the option {nameof(PairDatasetOptions.Split)} ('--split' on the command line)";

    // As deep as hubs lay splits and configurations.
    private static readonly EnumerationOptions Below = new() { RecurseSubdirectories = true, MaxRecursionDepth = 4 };

    /// <exception cref="DatasetException">There is no dataset, more than one layout, or more than one split.</exception>
    public static (PairFormat Format, IReadOnlyList<string> Files) Find(string path, string? split)
    {
        if (File.Exists(path))
        {
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            PairFormat format = FormatOf(path, () => Directory.EnumerateFiles(folder, "*", Below).Any(IsPicture))
                ?? throw new DatasetException(
                    $"'{path}'", $"a file that ends in .parquet or .tar, or is called {ImageFolderPairReader.MetadataFiles}", "another");
            // Its folder may name the split.
            ILookup<string, string> of = DatasetSplits.Of([Path.Combine(Path.GetFileName(folder), Path.GetFileName(path))]);
            return split is null || of.Contains(split)
                ? (format, [path])
                : throw new DatasetException($"'{path}'", $"a split '{split}'", $"a file of {Names(of)}");
        }
        if (!Directory.Exists(path))
        {
            throw new FileNotFoundException($"'{path}': expected a dataset's folder or file, found nothing there.", path);
        }
        // Folders such as __MACOSX hold what programs left there; names that begin with a dot are passed over already.
        string[] all = [.. Directory.EnumerateFiles(path, "*", Below).Select(f => Path.GetRelativePath(path, f)).Where(
            f => !f.Split(Path.DirectorySeparatorChar).SkipLast(1).Any(d => d.StartsWith("__", StringComparison.Ordinal))).Order(StringComparer.Ordinal)];
        bool hasPictures = all.Any(IsPicture);
        ILookup<PairFormat, string> found = all.Where(f => FormatOf(f, () => hasPictures) is not null).ToLookup(f => FormatOf(f, () => hasPictures)!.Value);
        return found.Count switch
        {
            1 => (found.Single().Key, OfSplit(path, [.. found.Single()], all, split)),
            0 when File.Exists(Path.Combine(path, RunLedger)) =>
                throw new DatasetException($"'{path}'", "a dataset", "a run's folder: write a dataset from it first ('dsd dataset write')"),
            0 => throw new DatasetException($"'{path}'", $"Parquet files, tars or a {ImageFolderPairReader.MetadataFiles}", "none of these"),
            _ =>
                throw new DatasetException(
                    $"'{path}'",
                    "one layout",
                    $"{string.Join(" and ", found.Select(g => $"{g.Key} ('{g.First()}')"))}. Name the folder or the file of one of them"),
        };
    }

    private static bool IsPicture(string file) => Path.GetExtension(file) is { Length: > 1 } ending && PictureEndings.Contains(ending[1..].ToLowerInvariant());

    /// <param name="file">The file.</param>
    /// <param name="besidePictures">Whether there are pictures: only then <c>metadata.parquet</c> is an imagefolder's, as for <c>datasets</c>.</param>
    private static PairFormat? FormatOf(string file, Func<bool> besidePictures) => Path.GetExtension(file).ToLowerInvariant() switch
    {
        ".parquet" => Path.GetFileName(file) == "metadata.parquet" && besidePictures() ? PairFormat.ImageFolder : PairFormat.Parquet,
        ".tar" => PairFormat.WebDataset,
        ".jsonl" or ".csv" when Path.GetFileName(file) is "metadata.jsonl" or "metadata.csv" => PairFormat.ImageFolder,
        _ => null,
    };

    private static IReadOnlyList<string> OfSplit(string path, IReadOnlyList<string> files, IReadOnlyList<string> all, string? split)
    {
        ILookup<string, string> splits = DatasetSplits.Of(files);
        string[] chosen = split is null
            ? splits.Count == 1 ? [.. files] : throw new DatasetException($"'{path}'", "one split", $"{Names(splits)}. {OrSplit}")
            : splits.Contains(split) && split != DatasetSplits.Unnamed ? [.. splits[split]]
            : throw new DatasetException($"'{path}'", $"a split '{split}'", $"only {Names(splits)}");
        foreach (string metadata in chosen.Where(f => Path.GetFileNameWithoutExtension(f) == "metadata"))
        {
            string folder = Path.GetDirectoryName(metadata)!;
            string begin = folder.Length == 0 ? "" : $"{folder}{Path.DirectorySeparatorChar}";
            IReadOnlyList<string> below = DatasetSplits.OfAllFolders(
                all.Where(f => IsPicture(f) && f.StartsWith(begin, StringComparison.Ordinal)).Select(f => f[begin.Length..]));
            if (below.Count > 1)
            {
                throw new DatasetException(
                    $"'{Path.Combine(path, metadata)}'",
                    "the metadata of one split",
                    $"folders of {string.Join(" and ", below)} below it. "
                    + "Put a metadata file into each, or name this file itself to read all of them");
            }
        }
        return [.. chosen.Select(f => Path.Combine(path, f))];
    }

    private static string Names(ILookup<string, string> splits) =>
        string.Join(
            ", ",
            splits.OrderBy(s => s.Key, StringComparer.Ordinal).Take(20).Select(
                s => s.Key == DatasetSplits.Unnamed ? $"{s.Count()} that name none ('{s.First()}')" : s.Key));
}
