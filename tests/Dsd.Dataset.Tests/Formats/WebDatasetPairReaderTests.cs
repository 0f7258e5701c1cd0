using System.Formats.Tar;
using System.Text;
using Dsd.Dataset.Formats;

namespace Dsd.Dataset.Tests.Formats;

public sealed class WebDatasetPairReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dsd-webdataset-").FullName;
    private readonly byte[] _png = TestRun.Sheet("a", 20).EncodePng();
    private readonly byte[] _jpeg = TestRun.Sheet("b", 20).EncodeJpeg();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_OfAnothersTars_TakesCaptionsAsText()
    {
        Write("0000.tar", ("./", []), ("./notes", [1]), ("./x/0001.image.JPG", _jpeg), ("./x/0001.conditioning.png", _png), ("./x/0001.txt", "one"u8.ToArray()), ("./x/0001.depth.npy", [9]));
        Write("0001.tar", ("0002.conditioning.png", _png), ("0002.json", """{"caption":"two","width":7}"""u8.ToArray()), ("0002.image.png", _png));

        PairDataset dataset = PairDataset.Open(_folder);

        Assert.Equal(PairFormat.WebDataset, dataset.Format);
        Assert.Null(dataset.RowCount);
        Assert.Equal([("one", "0001.image.jpg"), ("two", "0002.image.png")], dataset.Read().Select(r => (r.Caption, r.Image.Name!)));
        PairRecord first = dataset.Read().First(r => r.Image.ReadBytes().Length == _jpeg.Length);
        Assert.Equal("one", first.Caption);
    }

    [Fact]
    public void ReadBytes_GivesTheMembersBytesInAnyOrder()
    {
        Write("a.tar", ("1.image.png", _png), ("1.conditioning.jpg", _jpeg), ("1.txt", "one"u8.ToArray()));

        foreach (PairRecord row in PairDataset.Open(_folder).Read())
        {
            Assert.Equal(_jpeg, row.Conditioning.ReadBytes().ToArray());
            Assert.Equal(_png, row.Image.ReadBytes().ToArray());
        }
    }

    [Fact]
    public void Read_OfASampleWithoutAPicture_NamesIt()
    {
        Write("a.tar", ("1.image.png", _png), ("1.conditioning.png", _png), ("1.txt", [65]), ("2.image.png", _png), ("2.txt", [65]));

        DatasetException e = Assert.Throws<DatasetException>(() => PairDataset.Open(_folder).Read().ToArray());

        Assert.Contains("a.tar', sample '2': expected one member 'conditioning' that is a picture, such as 'conditioning.png', found only 'image.png', 'txt'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfASampleWithoutACaption_NamesIt()
    {
        Write("a.tar", ("1.image.png", _png), ("1.conditioning.png", _png), ("1.json", "{}"u8.ToArray()));

        Assert.Contains("sample '1': expected a caption", Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfATarThatIsCutOff_SaysSo()
    {
        Write("a.tar", ("1.image.png", _png), ("1.conditioning.png", _png), ("1.txt", [65]), ("2.image.png", _png), ("2.conditioning.png", _png), ("2.txt", [65]));
        string file = Path.Combine(_folder, "a.tar");
        byte[] whole = File.ReadAllBytes(file);
        for (int length = whole.Length - 1100; length > 0; length -= 97)
        {
            File.WriteAllBytes(file, whole[..length]);

            try
            {
                PairRecord[] rows = [.. PairDataset.Open(file).Read()];
                // Only between two samples can nobody see it.
                Assert.InRange(rows.Length, 0, 1);
            }
            catch (DatasetException e)
            {
                Assert.Contains(file, e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Open_OfAnythingElse_NamesTheFile()
    {
        File.WriteAllText(Path.Combine(_folder, "a.tar"), string.Concat(Enumerable.Repeat("no tar at all ", 200)));

        Assert.Contains("a.tar': expected a tar", Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfAJsonThatIsTooLong_RefusesIt()
    {
        Write("a.tar", ("1.image.png", _png), ("1.conditioning.png", _png), ("1.json", Encoding.UTF8.GetBytes($$"""{"caption":"{{new string('a', 1_100_000)}}"}""")));

        Assert.Contains("member 'json': expected at most 1048576 bytes", Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message, StringComparison.Ordinal);
    }

    private void Write(string file, params (string Name, byte[] Bytes)[] members)
    {
        using FileStream stream = File.Create(Path.Combine(_folder, file));
        using TarWriter writer = new(stream, TarEntryFormat.Pax);
        foreach ((string name, byte[] bytes) in members)
        {
            using MemoryStream data = new(bytes);
            writer.WriteEntry(name.EndsWith('/') ? new PaxTarEntry(TarEntryType.Directory, name) : new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = data });
        }
    }
}
