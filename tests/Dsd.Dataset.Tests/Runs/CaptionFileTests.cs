using Dsd.Dataset.Ledger;
using Dsd.Dataset.Runs;

namespace Dsd.Dataset.Tests.Runs;

public sealed class CaptionFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Text_GivesACaptionALine_OnceEach()
    {
        string file = Write("captions.txt", "a clay fox\r\n\n  a tin robot \na clay fox\nlast without an end");

        SeedCaption[] captions = [.. CaptionFile.Read(file)];

        Assert.Equal(["a clay fox", "a tin robot", "last without an end"], captions.Select(c => c.Caption));
        Assert.Equal(captions[0].Key, SeedCaption.Of("a clay fox").Key);
    }

    [Fact]
    public void Json_TakesKeysWhereThereAreAny()
    {
        string file = Write("captions.jsonl", """
            {"key": "fox-1", "caption": "a clay fox", "source": "catalogue"}
            {"caption": "a tin robot"}
            {"key": "fox-1", "caption": "a clay fox"}
            """);

        SeedCaption[] captions = [.. CaptionFile.Read(file)];

        Assert.Equal([new SeedCaption("fox-1", "a clay fox"), SeedCaption.Of("a tin robot")], captions);
    }

    [Theory]
    [InlineData("{\"caption\": 3}", "line 1", "'caption'")]
    [InlineData("{\"key\": \"../x\", \"caption\": \"a fox\"}", "line 1", "'../x'")]
    [InlineData("{\"key\": \"k\", \"caption\": \"a fox\"}\n{\"key\": \"k\", \"caption\": \"a robot\"}", "line 2", "'k'")]
    [InlineData("{\"caption\": \"a fox\"", "line 1", "")]
    [InlineData("[]", "line 1", "'caption'")]
    public void Json_OfAnotherForm_IsRefusedByLine(string text, string line, string what)
    {
        string file = Write("captions.jsonl", text);

        InvalidDataException error = Assert.Throws<InvalidDataException>(() => CaptionFile.Read(file).Count());

        Assert.Contains(file, error.Message, StringComparison.Ordinal);
        Assert.Contains(line, error.Message, StringComparison.Ordinal);
        Assert.Contains(what, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALineWithoutEnd_IsRefusedBeforeItIsInMemory()
    {
        string file = Write("captions.txt", new string('x', 100_000));

        Assert.Contains("at most 65536", Assert.Throws<InvalidDataException>(() => CaptionFile.Read(file).Count()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OtherBytesThanUtf8_AreRefused()
    {
        string file = _folder.File("captions.txt");
        File.WriteAllBytes(file, [(byte)'a', 0xFF, 0xFE, (byte)'b', (byte)'\n']);

        Assert.Contains("UTF-8", Assert.Throws<InvalidDataException>(() => CaptionFile.Read(file).Count()).Message, StringComparison.Ordinal);
    }

    private string Write(string name, string text)
    {
        string file = _folder.File(name);
        File.WriteAllText(file, text);
        return file;
    }
}
