using Dsd.Curation;

namespace Dsd.Evaluation.Judged;

/// <summary>
/// The texts that judges are asked with: files of ours, in our own words. A folder of the user's with files of the same names puts others in their place, such
/// as the original ones.
/// </summary>
public sealed class Rubrics
{
    private const string Prefix = "Dsd.Evaluation.Rubrics.";

    private readonly string? _folder;

    private Rubrics(string? folder) => _folder = folder;

    /// <summary>The texts of this library.</summary>
    public static Rubrics Own { get; } = new(null);

    /// <summary>The names of all texts.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. typeof(Rubrics).Assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(n => n[Prefix.Length..]).Order(StringComparer.Ordinal)];

    /// <summary>The texts of a folder, and this library's where the folder has none. For DreamBench++ it may be the original's <c>prompts</c>.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">It has none of the files.</exception>
    public static Rubrics Of(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"There is no folder of rubrics at '{folder}'.");
        }
        return Names.Any(name => File.Exists(Path.Combine(folder, name)))
            ? new Rubrics(folder)
            : throw new InvalidDataException($"Folder '{folder}': expected one or more of {string.Join(", ", Names)}, found none of them.");
    }

    /// <summary>A text, without white space around it.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="ArgumentException">There is none of this name.</exception>
    /// <exception cref="InvalidDataException">The file is too long (64 KB), empty, or not UTF-8.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public string Text(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!Names.Contains(name, StringComparer.Ordinal))
        {
            throw new ArgumentException($"Rubric '{name}': expected one of {string.Join(", ", Names)}.", nameof(name));
        }
        string? file = _folder is null ? null : Path.Combine(_folder, name);
        return (File.Exists(file) ? TextResource.FromFile(file) : TextResource.Manifest(typeof(Rubrics).Assembly, Prefix + name)).Trim();
    }
}
