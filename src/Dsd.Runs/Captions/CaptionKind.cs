using System.Text.RegularExpressions;

namespace Dsd.Runs.Captions;

/// <summary>What a captions file is written in, by its name; and whether it is what its name says.</summary>
internal static partial class CaptionKind
{
    /// <summary>A caption a line.</summary>
    public const string Text = ".txt";

    private static readonly Dictionary<string, string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        [".jsonl"] = ".jsonl",
        [".ndjson"] = ".jsonl",
        [".json"] = ".json",
        [".csv"] = ".csv",
        [".tsv"] = ".tsv",
        [".tab"] = ".tsv",
    };

    private static readonly HashSet<string> Others = new(
        [
            ".yaml", ".yml", ".toml", ".ini", ".xml", ".html", ".htm", ".md", ".rtf", ".pdf", ".doc", ".docx", ".odt", ".xls", ".xlsx", ".ods",
            ".parquet", ".arrow", ".feather", ".db", ".sqlite", ".zip", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz",
            ".pkl", ".pickle", ".pt", ".npy", ".npz", ".safetensors", ".png", ".jpg", ".jpeg", ".webp", ".gif", ".py", ".js",
        ],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>The kind: <c>.jsonl</c>, <c>.json</c>, <c>.csv</c>, <c>.tsv</c> or <see cref="Text"/>.</summary>
    /// <exception cref="InvalidDataException">The name is that of another kind of file.</exception>
    public static string Of(string file)
    {
        string extension = Path.GetExtension(file);
        return Others.Contains(extension)
            ? throw new InvalidDataException(
                $"Captions '{file}': expected a text file with a caption a line, or .json, .jsonl, .csv or .tsv, "
                + $"found the name of another kind of file, '{extension.ToLowerInvariant()}'.")
            : Known.GetValueOrDefault(extension, Text);
    }

    /// <summary>Refuses what is no caption in any kind of file, and in plain text what is clearly of another kind.</summary>
    /// <exception cref="InvalidDataException">The file begins as another kind does.</exception>
    public static void Check(CaptionText text, string kind)
    {
        ReadOnlySpan<char> head = text.Head.TrimStart();
        ReadOnlySpan<char> first = head[..(head.IndexOf('\n') is >= 0 and var end ? end : head.Length)].TrimEnd();
        string? found = Markup().IsMatch(first) ? "HTML or XML"
            : first.StartsWith("version https://git-lfs") ? "a Git LFS pointer: the file itself was not fetched"
            : kind != Text ? null
            : first is "[" or "{" || JsonStart().IsMatch(first) ? "JSON. Name the file .json, or .jsonl where each line is an object"
            : Header().IsMatch(first) ? "a line of column names. Name the file .csv or .tsv"
            : Yaml().IsMatch(first) ? "a list or a mapping as YAML and Markdown write them. Leave each caption alone in its line"
            : null;
        if (found is not null)
        {
            throw text.Fault(kind == Text ? "a caption a line" : $"the content of a {kind} file", found, 1);
        }
    }

    [GeneratedRegex(@"^<(!doctype|html|head|body|\?xml)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Markup();

    [GeneratedRegex("""^(\[\s*["{\]]|\{\s*["}])""")]
    private static partial Regex JsonStart();

    [GeneratedRegex("""^([^,;\t]*[,;\t])*\s*"?caption"?\s*([,;\t].*)?$""", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking)]
    private static partial Regex Header();

    [GeneratedRegex(@"^(---$|%YAML|[-*] |(captions?|prompts?|texts?)\s*:)", RegexOptions.IgnoreCase)]
    private static partial Regex Yaml();
}
