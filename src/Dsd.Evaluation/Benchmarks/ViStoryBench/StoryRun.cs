using System.Text.RegularExpressions;

namespace Dsd.Evaluation.Benchmarks.ViStoryBench;

/// <summary>Which pictures of a system are meant: the names of the folders in which they lie, <c>METHOD/MODE/LANGUAGE/TIMESTAMP</c>.</summary>
/// <param name="Method">The system.</param>
/// <param name="Mode">How it was used: <c>base</c>, say.</param>
/// <param name="Language">The language of its prompts: <c>en</c> or <c>ch</c>.</param>
/// <param name="Timestamp">When it drew, as <c>20250430_235959</c>.</param>
public sealed partial record StoryRun(string Method, string Mode, string Language, string Timestamp)
{
    /// <summary>The folder of results or pictures below a root.</summary>
    public string FolderIn(string root) => Path.Combine(root, Method, Mode, Language, Timestamp);

    /// <summary>The run whose pictures lie in a folder of that layout, told by the last four names of its path.</summary>
    /// <exception cref="ArgumentException">The path is too short, or does not end in a timestamp.</exception>
    public static StoryRun Of(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string[] names = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)).Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
        if (names.Length < 4 || !IsTimestamp(names[^1]))
        {
            throw new ArgumentException(
                $"Folder '{folder}': expected METHOD/MODE/LANGUAGE/TIMESTAMP with a timestamp as 20250430_235959, "
                + $"found '{string.Join('/', names.TakeLast(4))}'.",
                nameof(folder));
        }
        // Both orders are in use; a language is known by its name.
        bool languageFirst = names[^3] is "en" or "ch" && names[^2] is not ("en" or "ch");
        return languageFirst ? new StoryRun(names[^4], names[^2], names[^3], names[^1]) : new StoryRun(names[^4], names[^3], names[^2], names[^1]);
    }

    internal static bool IsTimestamp(string name) => Timestamped().IsMatch(name);

    [GeneratedRegex(@"\A[0-9]{8}[_-][0-9]{6}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Timestamped();
}
