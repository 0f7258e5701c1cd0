using System.Text.RegularExpressions;

namespace Dsd.Architecture.Tests.DocSamples;

/// <summary>Every C# sample of README and docs stands, line for line, in a file that the build compiles: a sample, or one of this folder.</summary>
public sealed partial class DocSampleTests
{
    private static readonly string[][] Compiled =
    [
        .. SourceTree.Files("samples").Concat(SourceTree.Files("tests/Dsd.Architecture.Tests/DocSamples")).Select(f => Lines(SourceTree.Text(f))),
    ];

    public static TheoryData<string> Pages =>
    [
        .. new[] { "README.md", "docs", "src" }
            .SelectMany(Markdown)
            .Where(page => Samples(page).Any())
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void ASample_IsCompiled(string page) => Assert.All(Samples(page), sample =>
    {
        string[] lines = Lines(sample);
        Assert.True(
            lines.Length > 0 && Compiled.Any(file => Enumerable.Range(0, Math.Max(0, file.Length - lines.Length + 1))
                .Any(at => file.AsSpan(at, lines.Length).SequenceEqual(lines))),
            $"No file below samples or tests/Dsd.Architecture.Tests/DocSamples has these lines of {page} one after another:\n{sample}");
    });

    private static IEnumerable<string> Samples(string page) => Block().Matches(SourceTree.Text(page)).Select(m => m.Groups[1].Value);

    private static IEnumerable<string> Markdown(string place) => place.EndsWith(".md", StringComparison.Ordinal)
        ? [place]
        : Directory.EnumerateFiles(Path.Combine(SourceTree.Root, place), "*.md", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(SourceTree.Root, f).Replace('\\', '/'))
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal));

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
