using System.Text.RegularExpressions;
using System.Xml.Linq;
using Dsd.Testing;

namespace Dsd.Architecture.Tests;

/// <summary>The repository's projects and source files, as they lie on disk.</summary>
internal static partial class SourceTree
{
    /// <summary>The folder with the solution.</summary>
    public static string Root => Fixtures.Repository;

    /// <summary>All projects of <c>src</c> and <c>tools</c> by name.</summary>
    public static IReadOnlyDictionary<string, SourceProject> Projects { get; } = new[] { "src", "tools" }
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories))
        .Select(Read)
        .ToDictionary(p => p.Name);

    /// <summary>C# files below a folder, without what a build puts there; paths from the root with forward slashes.</summary>
    public static IReadOnlyList<string> Files(string folder) =>
    [
        .. Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Where(file => !BuildFolder().IsMatch(file))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The text of a file.</summary>
    public static string Text(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static SourceProject Read(string file)
    {
        XDocument xml = XDocument.Load(file);
        string[] Included(string element) => [.. xml.Descendants(element).Select(e => e.Attribute("Include")!.Value).Order(StringComparer.Ordinal)];
        return new SourceProject(
            Path.GetFileNameWithoutExtension(file),
            Path.GetRelativePath(Root, Path.GetDirectoryName(file)!).Replace('\\', '/'),
            [.. Included("ProjectReference").Select(p => Path.GetFileNameWithoutExtension(p.Replace('\\', '/'))).Order(StringComparer.Ordinal)],
            Included("PackageReference"),
            Included("InternalsVisibleTo"),
            xml.Descendants("BringsLibtorch").Any(e => e.Value == "true"));
    }

    [GeneratedRegex("/(bin|obj)/")]
    private static partial Regex BuildFolder();
}

/// <summary>A project as its file tells.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Folder">Its folder, from the root.</param>
/// <param name="Projects">The projects that it references.</param>
/// <param name="Packages">The packages that it references.</param>
/// <param name="Friends">Who sees its internals.</param>
/// <param name="BringsLibtorch">Whether it brings the native library that TorchSharp computes with.</param>
internal sealed record SourceProject(
    string Name, string Folder, IReadOnlyList<string> Projects, IReadOnlyList<string> Packages, IReadOnlyList<string> Friends, bool BringsLibtorch);
