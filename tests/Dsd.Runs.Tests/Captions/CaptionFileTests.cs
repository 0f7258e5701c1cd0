using System.Text;
using System.Text.Json;
using Dsd.Runs.Captions;
using Dsd.Runs.Ledger;

namespace Dsd.Runs.Tests.Captions;

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

    [Theory]
    [InlineData("captions.json", "[\n  \"a red fox\",\n  \"a blue cat\"\n]\n")]
    [InlineData("captions.JSON", "[{\"caption\": \"a red fox\", \"tags\": [\"a]\", {\"b\": \"\\\"},\"}]},\"a blue cat\"]")]
    [InlineData("captions.json", "{\"caption\": \"a red fox\"}\n\n{\"caption\": \"a blue cat\"}\n")]
    [InlineData("captions.ndjson", "{\"caption\": \"a red fox\"}\r\n{\"caption\": \"a blue cat\"}")]
    [InlineData("captions.csv", "caption\na red fox\n\n\"a blue cat\"\n")]
    [InlineData("captions.csv", "file,caption\r\na.png,a red fox\r\n\"b,\"\"2\"\".png\",\"a blue cat\"\r\n")]
    [InlineData("captions.tsv", "caption\tfile\na red fox\ta, b\na blue cat\t\n")]
    [InlineData("captions.list", "a red fox\na blue cat")]
    public void EachKind_GivesItsCaptions_WithAndWithoutAByteOrderMark(string name, string text)
    {
        SeedCaption[] expected = [SeedCaption.Of("a red fox"), SeedCaption.Of("a blue cat")];

        Assert.Equal(expected, CaptionFile.Read(Write(name, text)));
        Assert.Equal(expected, CaptionFile.Read(Write(name, "\uFEFF" + text)));
        foreach (bool bigEndian in new[] { false, true })
        {
            UnicodeEncoding wide = new(bigEndian, byteOrderMark: true);
            string file = _folder.File(name);
            File.WriteAllText(file, text, wide);
            Assert.Equal(expected, CaptionFile.Read(file));
        }
    }

    // RFC 4180, section 2: rules 5 to 7.
    [Fact]
    public void Csv_TakesWhatStandsInQuotes_AsItStands()
    {
        string file = Write("captions.csv", "key,caption,note\nfox,\"a \"\"red\"\" fox, sitting\",\"two\nlines\"\ncat,[a cat],\n");

        Assert.Equal([new SeedCaption("fox", "a \"red\" fox, sitting"), new SeedCaption("cat", "[a cat]")], CaptionFile.Read(file));
    }

    [Theory]
    [InlineData("[\"a\", 3]", "line 1", "a text, or an object")]
    [InlineData("[\"a\",\n[\"b\"]]", "line 2", "a text, or an object")]
    [InlineData("[\"a\",\n\n\"\"]", "line 3", "1 to 4000 characters")]
    [InlineData("[\"a\",]", "line 1", "")]
    [InlineData("[\"a\" \"b\"]", "line 1", "")]
    [InlineData("[\"a\"", "line 1", "']'")]
    [InlineData("[\"a\"}", "line 1", "'}'")]
    [InlineData("[\"a\"]\n[\"b\"]", "line 2", "nothing after the array")]
    [InlineData("[\"\\ud800\"]", "line 1", "")]
    [InlineData("[\"a\\u0000b\"]", "line 1", "control characters")]
    [InlineData("{\n  \"captions\": [\"a\"]\n}", "line 1", "an array of captions")]
    [InlineData("a red fox", "line 1", "an array of captions")]
    public void JsonArray_OfAnotherForm_IsRefusedByLine(string text, string line, string what) => AssertRefused("captions.json", text, line, what);

    [Theory]
    [InlineData("file,text\na,b\n", "line 1", "a column 'caption', found the columns 'file', 'text'")]
    [InlineData("caption;file\na;b\n", "line 1", "'caption;file'")]
    [InlineData("caption,caption\na,b\n", "line 1", "one column 'caption'")]
    [InlineData("caption,file\na\n", "line 2", "2 fields")]
    [InlineData("caption\na, and b\n", "line 2", "1 fields")]
    [InlineData("caption,file\n,b\n", "line 2", "1 to 4000 characters")]
    [InlineData("caption\na \"red\" fox\n", "line 2", "quotes")]
    [InlineData("caption\n\"a fox\"!\n", "line 2", "'!'")]
    [InlineData("caption\nb\n\"a fox\n", "line 3", "a closing quote")]
    [InlineData("[\"a red fox\"]", "line 1", "quotes")]
    public void Csv_OfAnotherForm_IsRefusedByLine(string text, string line, string what) => AssertRefused("captions.csv", text, line, what);

    [Theory]
    [InlineData("[\n\"a\"]", "JSON")]
    [InlineData("[\"a\"]", "JSON")]
    [InlineData("\n{\"caption\": \"a\"}", "JSON")]
    [InlineData("caption\na fox", "column names")]
    [InlineData("file_name, \"Caption\"\na.png, a fox", "column names")]
    [InlineData("id\tcaption\n1\ta fox", "column names")]
    [InlineData("a.png\ta fox", "a tab")]
    [InlineData("- a fox\n- a cat", "YAML")]
    [InlineData("captions:\n  - a fox", "YAML")]
    [InlineData("---\na fox", "YAML")]
    [InlineData("<!DOCTYPE html>\n<p>", "HTML")]
    [InlineData("<html>", "HTML")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS")]
    [InlineData("a fox\ra cat", "a carriage return")]
    [InlineData("a fox\u0001", "U+0001")]
    public void Text_ThatIsOfAnotherKind_IsRefused(string text, string what) => AssertRefused("captions.txt", text, "line 1", what);

    [Theory]
    [InlineData("[sks] dog in the snow")]
    [InlineData("{a|b} dog")]
    [InlineData("a fox, a caption and a cat")]
    [InlineData("photo: a fox")]
    [InlineData("-5 degrees, a fox")]
    [InlineData("PAR1 lamp on a stage")]
    public void Text_ThatOnlyBeginsOddly_IsACaption(string text) => Assert.Equal([SeedCaption.Of(text)], CaptionFile.Read(Write("captions.txt", text)));

    [Theory]
    [InlineData("captions.yaml")]
    [InlineData("captions.XLSX")]
    [InlineData("captions.parquet")]
    [InlineData("captions.txt.gz")]
    public void NamesOfOtherKinds_AreRefused(string name) => Assert.Contains(
        Path.GetExtension(name).ToLowerInvariant(), Assert.Throws<InvalidDataException>(() => CaptionFile.Read(Write(name, "a fox")).Count()).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData(new byte[] { (byte)'P', (byte)'A', (byte)'R', (byte)'1', 0x15, 4 }, "a Parquet file")]
    [InlineData(new byte[] { (byte)'P', (byte)'K', 3, 4, 20, 0 }, "a zip archive")]
    [InlineData(new byte[] { 0x1F, 0x8B, 8, 0 }, "a gzip archive")]
    [InlineData(new byte[] { 0xFF, 0xD8, 0xFF, 0xE0 }, "a picture")]
    [InlineData(new byte[] { 0xFF, 0xFE, 0, 0, (byte)'a', 0, 0, 0 }, "UTF-32")]
    [InlineData(new byte[] { (byte)'a', 0, (byte)'b', 0 }, "U+0000")]
    [InlineData(new byte[] { 0xFF, 0xFE, 0, 0xD8, (byte)'b', 0 }, "expected UTF-16 text")]
    [InlineData(new byte[] { 0xFF, 0xFE, (byte)'a', 0, (byte)'b' }, "expected UTF-16 text")]
    [InlineData(new byte[] { (byte)'a', (byte)'\n', (byte)'c', (byte)'a', (byte)'f', 0xE9, (byte)'\n' }, "line 2: expected UTF-8 text")]
    [InlineData(new byte[] { (byte)'a', 0xC3 }, "line 1: expected UTF-8 text")]
    public void BytesOfOtherKinds_AreRefused_WhateverTheName(byte[] bytes, string what) => Assert.All(["captions.txt", "captions.csv", "captions.json"], name =>
    {
        string file = _folder.File(name);
        File.WriteAllBytes(file, bytes);

        string message = Assert.Throws<InvalidDataException>(() => CaptionFile.Read(file).Count()).Message;
        Assert.Contains(file, message, StringComparison.Ordinal);
        Assert.Contains(what, message, StringComparison.Ordinal);
    });

    [Fact]
    public void ManyCaptions_AreReadAcrossBuffers()
    {
        string[] captions = [.. Enumerable.Range(0, 5000).Select(i => $"a naïve fox, number {i}")];

        Assert.Equal(captions, CaptionFile.Read(Write("captions.txt", string.Join('\n', captions))).Select(c => c.Caption));
        Assert.Equal(captions, CaptionFile.Read(Write("captions.json", JsonSerializer.Serialize(captions))).Select(c => c.Caption));
        string csv = "caption\r\n" + string.Join("\r\n", captions.Select(c => $"\"{c}\""));
        Assert.Equal(captions, CaptionFile.Read(Write("captions.csv", csv)).Select(c => c.Caption));
        File.AppendAllBytes(_folder.File("captions.txt"), [(byte)'\n', 0xFF]);
        Assert.Contains(
            "line 5001", Assert.Throws<InvalidDataException>(() => CaptionFile.Read(_folder.File("captions.txt")).Count()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("captions.json", "[\"")]
    [InlineData("captions.json", "[[[[")]
    [InlineData("captions.csv", "caption\n\"")]
    [InlineData("captions.csv", "caption\n")]
    public void AnElementWithoutEnd_IsRefusedBeforeItIsInMemory(string name, string start) =>
        Assert.Throws<InvalidDataException>(() => CaptionFile.Read(Write(name, start + new string('x', 100_000))).Count());

    private void AssertRefused(string name, string text, string line, string what)
    {
        string file = Write(name, text);
        string message = Assert.Throws<InvalidDataException>(() => CaptionFile.Read(file).Count()).Message;

        Assert.Contains(file, message, StringComparison.Ordinal);
        Assert.Contains(line, message, StringComparison.Ordinal);
        Assert.Contains(what, message, StringComparison.Ordinal);
        Assert.DoesNotContain("Parameter", message, StringComparison.Ordinal);
    }

    private string Write(string name, string text)
    {
        string file = _folder.File(name);
        File.WriteAllText(file, text);
        return file;
    }
}
