using System.Text.Json;
using Dsd.Common.Files;

namespace Dsd.Evaluation.Running;

/// <summary>
/// Finds what is to be measured in folders: <c>[CATEGORY/]SUBJECT/PICTURE.png</c> for what was generated, or <c>SUBJECT.png</c> where each subject has one
/// picture; for references the same, or <c>[CATEGORY/]SUBJECT.png</c> for all of a subject's pictures.
/// </summary>
public static class EvaluationFolders
{
    private const long MostPromptBytes = 64_000_000;
    private const int MostDepth = 3;
    private static readonly string[] Endings = [".png", ".jpg", ".jpeg", ".webp", ".bmp"];

    /// <summary>Reads the folders' names; pictures are not opened.</summary>
    /// <param name="references">
    /// The folder of references. A picture's reference has the picture's own name, or that of its subject's folder, or is the only one in the folder of
    /// its subject's name.
    /// </param>
    /// <param name="generated">The folder of each system, at least one, each named differently: the folder's name is the system's.</param>
    /// <param name="prompts">
    /// A JSON file with an object of prompts by picture (<c>CATEGORY/SUBJECT/PICTURE</c>) or subject, or a folder of <c>.txt</c> files that are named so. Null:
    /// no prompts.
    /// </param>
    /// <exception cref="EvaluationException">A folder is empty, a picture has no reference or several, or two have one name; the message names it.</exception>
    /// <exception cref="IOException">A folder or file is missing or cannot be read.</exception>
    /// <exception cref="ArgumentException">Two systems have one name, or there is none.</exception>
    public static IReadOnlyList<EvaluationSystem> Read(string references, IReadOnlyList<string> generated, string? prompts = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(references);
        ArgumentNullException.ThrowIfNull(generated);
        string[] names = [.. generated.Select(g => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(g))))];
        if (names.Length == 0 || names.Distinct(StringComparer.Ordinal).Count() != names.Length)
        {
            throw new ArgumentException(
                $"Systems are called as their folders, so these must be named differently, and there must be one, but found: {string.Join(", ", names)}.",
                nameof(generated));
        }
        SortedDictionary<string, string> known = Files(references, Endings, "pictures");
        ILookup<string, string> bySubject = known.Keys.Where(k => k.Contains('/')).ToLookup(Parent);
        Dictionary<string, string> texts = prompts is null ? [] : Prompts(prompts);
        return [.. generated.Zip(names, System)];

        EvaluationSystem System(string folder, string name) => new(name, [.. Files(folder, Endings, "pictures").Select(f => Item(f.Key, f.Value))]);

        EvaluationItem Item(string key, string file)
        {
            string subject = key.Contains('/') ? Parent(key) : key;
            return new EvaluationItem
            {
                Key = key,
                Subject = subject,
                Category = subject.Contains('/') ? subject[..subject.IndexOf('/')] : null,
                ReferenceFile = Reference(key, subject, file),
                GeneratedFile = file,
                Prompt = texts.GetValueOrDefault(key) ?? texts.GetValueOrDefault(subject),
            };
        }

        string Reference(string key, string subject, string file)
        {
            if (known.TryGetValue(key, out string? own) || known.TryGetValue(subject, out own))
            {
                return own;
            }
            string[] below = [.. bySubject[subject]];
            return below.Length == 1 ? known[below[0]] : throw new EvaluationException(
                $"'{references}'",
                $"the reference of '{file}': a picture '{key}' or '{subject}', or a single one in a folder '{subject}'",
                below.Length == 0 ? "none of them" : $"{below.Length} in that folder ({string.Join(", ", below.Take(3))}). Leave one there");
        }
    }

    private static string Parent(string key) => key[..key.LastIndexOf('/')];

    /// <summary>Files by their paths below a folder, without endings, in order.</summary>
    private static SortedDictionary<string, string> Files(string folder, string[] endings, string what)
    {
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"'{folder}': expected a folder of {what}, found {(File.Exists(folder) ? "a file" : "nothing there")}.");
        }
        // Hidden files and folders, of whatever system, are nobody's pictures.
        EnumerationOptions below = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden | FileAttributes.System };
        SortedDictionary<string, string> found = new(StringComparer.Ordinal);
        foreach (string file in Directory.EnumerateFiles(folder, "*", below).Where(f => endings.Contains(Path.GetExtension(f).ToLowerInvariant())))
        {
            string key = Path.ChangeExtension(Path.GetRelativePath(folder, file), null).Replace(Path.DirectorySeparatorChar, '/');
            if (key.Count(c => c == '/') >= MostDepth)
            {
                throw new EvaluationException($"'{file}'", $"at most a folder for the category and one for the subject below '{folder}'", "a deeper one");
            }
            if (!found.TryAdd(key, file))
            {
                throw new EvaluationException($"'{folder}'", $"one file '{key}'", $"'{found[key]}' and '{file}'. Leave one there");
            }
        }
        return found.Count > 0 ? found : throw new EvaluationException($"'{folder}'", $"{what} ({string.Join(", ", endings)})", "none");
    }

    private static Dictionary<string, string> Prompts(string path)
    {
        if (Directory.Exists(path))
        {
            return Files(path, [".txt"], "prompts").ToDictionary(f => f.Key, f => SmallFile.Text(f.Value, MostPromptBytes, Refuse(f.Value)).Trim());
        }
        ReadOnlyMemory<byte> json = SmallFile.Utf8(path, MostPromptBytes, Refuse(path));
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, string>>(json.Span) is { } texts && !texts.ContainsValue(null!)
                ? texts
                : throw new EvaluationException($"'{path}'", "a JSON object of prompts by picture or subject", "null");
        }
        catch (JsonException e)
        {
            throw new EvaluationException($"'{path}'", "a JSON object of prompts by picture or subject", JsonFault.Of(e), e);
        }
    }

    private static SmallFile.Refusal Refuse(string file) => (expected, found) => new EvaluationException($"'{file}'", expected, found);
}
