using System.Globalization;

namespace Dsd.Evaluation.Benchmarks.ViStoryBench;

/// <summary>
/// The pictures that a system drew in one run: <c>STORY/shot_XX.png</c>, <c>STORY/shots/XX.png</c> or <c>shots/STORY/shot_XX.png</c>. What is in the folder is
/// untrusted.
/// </summary>
public sealed class StoryOutputs
{
    private const int MostShots = 100_000;

    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".gif", ".bmp"];

    private StoryOutputs(string path, IReadOnlyDictionary<string, IReadOnlyDictionary<int, string>> stories) => (Path, Stories) = (path, stories);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>By story its pictures' files, by the shot's index. Stories without a picture are left out.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<int, string>> Stories { get; }

    /// <summary>Reads what a folder holds. Pictures are not opened.</summary>
    /// <param name="path">The folder of one run: see <see cref="StoryRun"/>.</param>
    /// <exception cref="InvalidDataException">It has no story with a picture, or a picture's name ends in no number.</exception>
    public static StoryOutputs Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Dictionary<string, IReadOnlyDictionary<int, string>> stories = new(StringComparer.Ordinal);
        foreach (string folder in Directory.Exists(path) ? StoryFolders(path) : [])
        {
            SortedDictionary<int, string> shots = [];
            // Stories that were drawn several times have a folder for each; the last one counts.
            string[] drawn = [.. Directory.EnumerateDirectories(folder).Where(f => StoryRun.IsTimestamp(Name(f))).OrderBy(f => Name(f).Replace('_', '-'))];
            foreach (string each in drawn.Length > 0 ? drawn : [folder])
            {
                Collect(each, shots);
            }
            if (shots.Count > 0)
            {
                stories[Name(folder)] = shots;
            }
        }
        return stories.Count > 0
            ? new StoryOutputs(path, stories)
            : throw new InvalidDataException($"Folder '{path}': expected pictures as ViStoryBench has them (01/shot_00.png, 01/shots/00.png), found none.");
    }

    private static IEnumerable<string> StoryFolders(string path)
    {
        string shots = System.IO.Path.Combine(path, "shots");
        return Directory.EnumerateDirectories(path).Concat(Directory.Exists(shots) ? Directory.EnumerateDirectories(shots) : [])
            .Where(folder => Name(folder).All(char.IsAsciiDigit)).Order(StringComparer.Ordinal);
    }

    private static void Collect(string folder, SortedDictionary<int, string> shots)
    {
        string? inner = Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal).LastOrDefault(f =>
            Name(f).EndsWith("shot", StringComparison.OrdinalIgnoreCase) || Name(f).EndsWith("shots", StringComparison.OrdinalIgnoreCase));
        foreach (string file in Directory.EnumerateFiles(inner ?? folder).Order(StringComparer.Ordinal)
            .Where(f => Extensions.Contains(System.IO.Path.GetExtension(f), StringComparer.OrdinalIgnoreCase)))
        {
            string number = System.IO.Path.GetFileName(file).Split('_')[^1].Split('.')[0];
            if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int index) || shots.Count == MostShots)
            {
                throw new InvalidDataException(
                    $"File '{file}': expected a name that ends in the shot's number, such as shot_03.png, and at most {MostShots} of them.");
            }
            shots[index] = file;
        }
    }

    private static string Name(string folder) => System.IO.Path.GetFileName(folder);
}
