namespace Dsd.Evaluation.Benchmarks;

/// <summary>Pictures in the folders of benchmarks.</summary>
internal static class BenchmarkFiles
{
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png"];

    /// <summary>Whether a file's name is that of a picture which is read.</summary>
    public static bool IsPicture(string file) => Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase);

    /// <summary>What a system is called: as its folder.</summary>
    public static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));

    /// <summary>The picture of this name, whatever its extension.</summary>
    /// <exception cref="InvalidDataException">There is none; the message says what it was to be.</exception>
    public static string Picture(string folder, string name, string what) =>
        Extensions.Select(extension => Path.Combine(folder, name + extension)).FirstOrDefault(File.Exists)
        ?? throw new InvalidDataException($"Folder '{folder}': expected {what}, a picture {name} ({string.Join(", ", Extensions)}), found none.");
}
