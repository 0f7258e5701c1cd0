using Dsd.Dataset.Formats;

namespace Dsd.Dataset.Tests.Formats;

public sealed class ImageFolderPairReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dsd-imagefolder-").FullName;

    public ImageFolderPairReaderTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "train", "ab"));
        TestRun.Sheet("a", 20).Save(Path.Combine(_folder, "train", "ab", "1.png"));
        TestRun.Sheet("b", 20).Save(Path.Combine(_folder, "train", "2.png"));
        TestRun.Sheet("c", 20).Save(Path.Combine(_folder, "outside.png"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_OfAnothersFolder_NeedsNoVerdicts()
    {
        Write("""{"file_name":"ab/1.png","conditioning_file_name":"2.png","caption":"one","licence":{"of":["any"]}}""", "", """{"caption":"two","conditioning_file_name":"ab/1.png","file_name":"2.png"}""");

        PairDataset dataset = PairDataset.Open(_folder);

        Assert.Equal((PairFormat.ImageFolder, 0), (dataset.Format, dataset.Details.Count));
        Assert.Equal([("one", "1.png", "2.png"), ("two", "2.png", "1.png")], dataset.Read().Select(r => (r.Caption, r.Image.Name!, r.Conditioning.Name!)));
        Assert.Equal(TestRun.Sheet("a", 20).Pixels.ToArray(), dataset.Read().First().Image.Decode().Pixels.ToArray());
    }

    [Theory]
    [InlineData("../outside.png")]
    [InlineData("ab/../../outside.png")]
    [InlineData("/etc/hostname")]
    [InlineData("ab//1.png")]
    [InlineData("./2.png")]
    [InlineData("..\\\\outside.png")]
    [InlineData("C:/1.png")]
    [InlineData("file:///etc/hostname")]
    [InlineData("")]
    public void Read_RefusesNamesThatLeadOutOfTheFolder(string name)
    {
        Write($$"""{"file_name":"{{name}}","conditioning_file_name":"2.png","caption":"one"}""");

        DatasetException e = Assert.Throws<DatasetException>(() => PairDataset.Open(_folder));

        Assert.Contains("metadata.jsonl', line 1, column 'file_name': expected a file below the metadata's folder", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"file_name":"2.png","caption":"one"}""", "expected a column 'conditioning_file_name', found only 'file_name', 'caption'")]
    [InlineData("""{"file_name":"2.png","conditioning_file_name":"2.png","caption":7}""", "column 'caption': expected a value of kind Text, found Number")]
    [InlineData("""{"file_name":"2.png","conditioning_file_name":"2.png","caption":"a","kept":"yes"}""", "column 'kept': expected a value of kind Flag, found String")]
    [InlineData("""{"file_name":"2.png","conditioning_file_name":"2.png","caption":"a","flags":["x",1]}""", "column 'flags': expected a value of kind Texts, found Number")]
    [InlineData("""{"file_name":"2.png","file_name":"2.png","conditioning_file_name":"2.png","caption":"a"}""", "expected one JSON object, found none")]
    [InlineData("""["2.png"]""", "expected one JSON object, found Array")]
    [InlineData("""{"file_name":""", "expected one JSON object, found none")]
    public void Read_OfALineThatIsNoRow_NamesLineAndColumn(string line, string message)
    {
        Write("""{"file_name":"ab/1.png","conditioning_file_name":"2.png","caption":"one","kept":true,"flags":[]}""", line);

        DatasetException e = Assert.Throws<DatasetException>(() => PairDataset.Open(_folder).Read().ToArray());

        Assert.Contains("metadata.jsonl', line 2", e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfALineWithoutEnd_StopsAtABound()
    {
        Write($$"""{"file_name":"{{new string('a', 2_000_000)}}""");

        Assert.Contains("line 1: expected at most 1048576 bytes", Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfLinesLongerThanTheBuffer_GivesThemWhole()
    {
        string[] captions = [.. Enumerable.Range(0, 9).Select(i => new string((char)('a' + i), 50_000 * (i + 1)))];
        Write([.. captions.Select(c => $$"""{"file_name":"2.png","conditioning_file_name":"ab/1.png","caption":"{{c}}"}""")]);

        Assert.Equal(captions, PairDataset.Open(_folder).Read().Select(r => r.Caption));
    }

    [Fact]
    public void ReadBytes_OfAPictureThatIsGone_NamesLineAndColumn()
    {
        Write("""{"file_name":"3.png","conditioning_file_name":"2.png","caption":"one"}""");

        DatasetException e = Assert.Throws<DatasetException>(() => PairDataset.Open(_folder).Read().First().Image.ReadBytes());

        Assert.Contains("line 1, column 'file_name': expected a picture at", e.Message, StringComparison.Ordinal);
    }

    private void Write(params string[] lines) => File.WriteAllText(Path.Combine(_folder, "train", "metadata.jsonl"), string.Join('\n', lines));
}
