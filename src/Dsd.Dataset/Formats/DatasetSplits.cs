using System.Text.RegularExpressions;

namespace Dsd.Dataset.Formats;

/// <summary>Which split a dataset's files belong to, by their names.</summary>
/// <remarks>
/// The rules are those of <c>datasets</c> 5.0 (<c>data_files.py</c>), the first that fits any file: <c>data/NAME-00000-of-00001.*</c>; a
/// word for a split as a folder's name or part of it; a word as a part of a file's name; else all files are <c>train</c>. A part ends at
/// anything of <c>-._ 0-9</c>. A file that has the words of two splits belongs to both. Where a rule fits some files only, <c>datasets</c>
/// leaves the others out without a word; here they are a split of their own, so that somebody has to say which is meant.
/// </remarks>
internal static partial class DatasetSplits
{
    /// <summary>What files are called that no rule gives to a split, where a rule fits others.</summary>
    public const string Unnamed = "(no split in the name)";

    private const string Default = "train";

    private static readonly (string Split, Regex Folder, Regex File)[] Words =
    [
        Word("train", "train|training"),
        Word("validation", "validation|valid|dev|val"),
        Word("test", "test|testing|eval|evaluation"),
    ];

    /// <summary>The files of each split, in the order given.</summary>
    /// <param name="files">Paths relative to the dataset's folder.</param>
    public static ILookup<string, string> Of(IReadOnlyList<string> files)
    {
        Func<string, IEnumerable<string>>[] rules = [f => Sharded()
            .Match(Slashed(f)) is { Success: true } m ? [m.Groups["split"].Value] : [], OfFolders, OfName];
        ILookup<string, string> splits = rules.Select(rule => Each(files, rule))
            .FirstOrDefault(found => found.Any(s => s.Key != Unnamed)) ?? Each(files, _ => [Default]);
        // Names of shards that are none of the words, outside of data/: not a rule of theirs, but two of them are hardly one split.
        return splits.Count == 1 && splits.Contains(Default) && Each(files, OfShard) is { Count: > 1 } shards ? shards : splits;
    }

    /// <summary>The splits that the folders above files name.</summary>
    public static IReadOnlyList<string> OfAllFolders(IEnumerable<string> files) =>
        [.. files.Select(f => Path.GetDirectoryName(f)!).Distinct().SelectMany(d => OfFolders(Path.Combine(d, "file"))).Distinct()
            .Order(StringComparer.Ordinal)];

    private static ILookup<string, string> Each(IReadOnlyList<string> files, Func<string, IEnumerable<string>> rule) =>
        files.SelectMany(f => rule(f).DefaultIfEmpty(Unnamed).Select(split => (split, f))).ToLookup(p => p.split, p => p.f);

    private static IEnumerable<string> OfFolders(string file) => Words.Where(w => w.Folder.IsMatch(Slashed(file))).Select(w => w.Split);

    private static IEnumerable<string> OfName(string file) => Words.Where(w => w.File.IsMatch(Path.GetFileName(file))).Select(w => w.Split);

    private static IEnumerable<string> OfShard(string file) =>
        Shard().Match(Path.GetFileName(file)) is { Success: true } m ? [m.Groups["split"].Value] : [Default];

    private static string Slashed(string file) => file.Replace(Path.DirectorySeparatorChar, '/');

    private static (string Split, Regex Folder, Regex File) Word(string split, string words)
    {
        const string end = "[-._ 0-9]";
        return (
            split,
            new Regex($"(^|/)([^/]*{end})?({words})({end}[^/]*)?/", RegexOptions.CultureInvariant),
            new Regex($"(^|{end})({words}){end}", RegexOptions.CultureInvariant));
    }

    [GeneratedRegex(@"^data/(?<split>\w+(\.\w+)*)-[0-9]{5}-of-[0-9]{5}[^/]*\.[^/]*$", RegexOptions.CultureInvariant)]
    private static partial Regex Sharded();

    [GeneratedRegex("^(?<split>.+)-[0-9]{5}-of-[0-9]{5}[^/]*$", RegexOptions.CultureInvariant)]
    private static partial Regex Shard();
}
