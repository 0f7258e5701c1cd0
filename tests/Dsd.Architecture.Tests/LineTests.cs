namespace Dsd.Architecture.Tests;

/// <summary>Lines fit a screen, so that two versions of a file can be read side by side.</summary>
public sealed class LineTests
{
    private const int Most = 160;

    [Theory]
    [InlineData("src")]
    [InlineData("tools")]
    [InlineData("samples")]
    [InlineData("tests")]
    public void ALineOfCSharp_FitsAScreen(string folder) =>
        Assert.Empty(SourceTree.Files(folder).Where(f => !f.StartsWith("tests/fixtures/", StringComparison.Ordinal)).SelectMany(TooLong));

    [Fact]
    public void ALineOfMarkdown_FitsAScreen()
    {
        IEnumerable<string> documents = Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(SourceTree.Root, "*.md"))
            .Select(file => Path.GetRelativePath(SourceTree.Root, file).Replace('\\', '/'));

        Line[] found = [.. documents.Order(StringComparer.Ordinal).SelectMany(TooLong).Where(line => !line.IsFree)];
        Assert.Empty(found);
    }

    private static IEnumerable<Line> TooLong(string file) => SourceTree.Text(file).Split('\n')
        .Select((text, i) => new Line(file, i + 1, text.TrimEnd('\r')))
        .Where(line => line.Text.Length > Most);

    private sealed record Line(string File, int Number, string Text)
    {
        // A table's row and a link's address cannot be broken.
        public bool IsFree => Text.TrimStart().StartsWith('|')
            || Text.Contains("](", StringComparison.Ordinal)
            || Text.Contains("://", StringComparison.Ordinal);

        public override string ToString() => $"{File}:{Number}: {Text.Length} characters";
    }
}
