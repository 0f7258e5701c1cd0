using System.Text;
using Dsd.Dataset.Formats;
using Dsd.Testing.Runs;
using ParquetSharp;
using Encoding = System.Text.Encoding;

namespace Dsd.Dataset.Tests.Formats;

public sealed class ImageFolderPairReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dsd-imagefolder-").FullName;

    public ImageFolderPairReaderTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "train", "ab"));
        TestRun.Grid("a", 20).Save(Path.Combine(_folder, "train", "ab", "1.png"));
        TestRun.Grid("b", 20).Save(Path.Combine(_folder, "train", "2.png"));
        TestRun.Grid("c", 20).Save(Path.Combine(_folder, "outside.png"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_OfAnothersFolder_NeedsNoVerdicts()
    {
        Write(
            """{"file_name":"ab/1.png","conditioning_file_name":"2.png","caption":"one","licence":{"of":["any"]}}""",
            "",
            """{"caption":"two","conditioning_file_name":"ab/1.png","file_name":"2.png"}""");

        PairDataset dataset = PairDataset.Open(_folder);

        Assert.Equal((PairFormat.ImageFolder, 0), (dataset.Format, dataset.Details.Count));
        Assert.Equal([("one", "1.png", "2.png"), ("two", "2.png", "1.png")], dataset.Read().Select(r => (r.Caption, r.Image.Name!, r.Conditioning.Name!)));
        Assert.Equal(TestRun.Grid("a", 20).Pixels.ToArray(), dataset.Read().First().Image.Decode().Pixels.ToArray());
    }

    [Theory]
    [InlineData("../outside.png")]
    [InlineData("ab/../../outside.png")]
    [InlineData("/etc/hostname")]
    [InlineData("./../outside.png")]
    [InlineData("..\\\\outside.png")]
    [InlineData("ab\\\\..\\\\..\\\\outside.png")]
    [InlineData("\\\\\\\\server\\\\share\\\\1.png")]
    [InlineData("C:\\\\1.png")]
    [InlineData("ab/")]
    [InlineData(".")]
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
    [InlineData(
        """{"file_name":"2.png","conditioning_file_name":"2.png","caption":"a","kept":"yes"}""",
        "column 'kept': expected a value of kind Flag, found String")]
    [InlineData(
        """{"file_name":"2.png","conditioning_file_name":"2.png","caption":"a","flags":["x",1]}""",
        "column 'flags': expected a value of kind Texts, found Number")]
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

        Assert.Contains(
            "line 1: expected at most 1048576 bytes", Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message, StringComparison.Ordinal);
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

    // 'datasets' 5.0, folder_based_builder.py: os.path.normpath(item).replace("\\", "/").
    [Theory]
    [InlineData("./2.png", "2.png")]
    [InlineData("./ab/./1.png", "1.png")]
    [InlineData("ab//1.png", "1.png")]
    [InlineData("ab\\\\1.png", "1.png")]
    public void Read_TakesNamesAsProgramsWriteThem(string name, string file)
    {
        Write($$"""{"file_name":"{{name}}","conditioning_file_name":"2.png","caption":"one"}""");

        PairRecord row = Assert.Single(PairDataset.Open(_folder).Read());

        Assert.Equal(file, row.Image.Name);
        Assert.Equal(TestRun.Grid(file == "1.png" ? "a" : "b", 20).Pixels.ToArray(), row.Image.Decode().Pixels.ToArray());
    }

    [Fact]
    public void Read_OfFileNameAlone_TakesItForTheColumnImage()
    {
        Write("""{"file_name":"2.png","edited_file_name":"ab/1.png","caption":"one","votes":3.0}""");

        PairRecord row = Assert.Single(PairDataset.Open(_folder, new PairDatasetOptions { ImageColumn = "edited", ConditioningColumn = "image" }).Read());

        Assert.Equal(("1.png", "2.png", 3), (row.Image.Name, row.Conditioning.Name, row.Details.Votes));
        Assert.Contains(
            "expected a column 'target_file_name'",
            Assert.Throws<DatasetException>(() => PairDataset.Open(_folder, new PairDatasetOptions { ImageColumn = "target" })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfAWholeNumberWithAFraction_RefusesIt()
    {
        Write("""{"file_name":"2.png","conditioning_file_name":"2.png","caption":"one","votes":2.5}""");

        string message = Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message;

        Assert.Contains("column 'votes': expected a value of kind Count, found Number", message, StringComparison.Ordinal);
        Assert.Contains("'--no-details' on the command line", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_PassesOverAByteOrderMark()
    {
        string line = """{"file_name":"2.png","conditioning_file_name":"2.png","caption":"größer"}""";
        File.WriteAllText(Path.Combine(_folder, "train", "metadata.jsonl"), $"{line}\n{line}\n", new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));

        Assert.Equal(["größer", "größer"], PairDataset.Open(_folder).Read().Select(r => r.Caption));

        File.WriteAllText(Path.Combine(_folder, "train", "metadata.jsonl"), line, Encoding.Unicode);
        Assert.Contains(
            "metadata.jsonl': expected text in UTF-8, found UTF-16",
            Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message,
            StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "train", "metadata.jsonl"), "");
        Assert.Empty(PairDataset.Open(_folder).Read());
    }

    [Theory]
    [InlineData("""{"file_name":"2.png","conditioning_file_name":"2.png","caption":"Ma@is"}""")]
    [InlineData("""{"file_name":"2.png","conditioning_file_name":"2.png","caption":"one","other@":1}""")]
    [InlineData("""{"file@name":"2.png","conditioning_file_name":"2.png","caption":"one"}""")]
    public void Read_OfBytesThatAreNotUtf8_NamesTheLine(string line)
    {
        string whole = """{"file_name":"2.png","conditioning_file_name":"2.png","caption":"one"}""";
        byte[] bytes = Encoding.ASCII.GetBytes($"{whole}\n{line}\n");
        bytes[Array.IndexOf(bytes, (byte)'@')] = 0xef;
        File.WriteAllBytes(Path.Combine(_folder, "train", "metadata.jsonl"), bytes);

        DatasetException e = Assert.Throws<DatasetException>(() => PairDataset.Open(_folder).Read().ToArray());

        Assert.Contains("metadata.jsonl', line 2: expected text in UTF-8, found byte 0xef", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"file_name":"2.png","conditioning_file_name":"2.png","caption":"\ud800"}""")]
    [InlineData("""{"file_name":"2.png","conditioning_file_name":"2.png","caption":"one","\ud800":1}""")]
    [InlineData("""{"\ud800":1}""")]
    public void Read_OfHalfACharacter_NamesTheLine(string line)
    {
        Write(line);

        Assert.Contains("metadata.jsonl', line 1", Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message, StringComparison.Ordinal);
    }

    // pandas' read_csv as 'datasets' 5.0 calls it.
    [Fact]
    public void Read_OfACsvFile_GivesTheSameRows()
    {
        WriteCsv(
            "\ufefffile_name,conditioning_file_name,caption,kept,votes,confidence,subject\r\n2.png,./ab/1.png,\"a \"\"red\"\" "
            + "fox,\nsitting\",True,3.0,0.5,\r\n\r\nab\\1.png,2.png,größer,false,,1,NA\n2.png,2.png,short\r");

        PairDataset dataset = PairDataset.Open(_folder);

        Assert.Equal((PairFormat.ImageFolder, 4), (dataset.Format, dataset.Details.Count));
        PairRecord[] rows = [.. dataset.Read()];
        Assert.Equal([("a \"red\" fox,\nsitting", "2.png"), ("größer", "1.png"), ("short", "2.png")], rows.Select(r => (r.Caption, r.Image.Name!)));
        Assert.Equal([(true, 3, 0.5), (false, null, 1), (null, null, null)], rows.Select(r => (r.Details.Kept, r.Details.Votes, r.Details.Confidence)));
        Assert.All(rows, r => Assert.Null(r.Details.Subject));
        Assert.Contains("metadata.csv', line 5", rows[1].Source, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("file_name,conditioning_file_name,caption\n2.png,2.png,one,more", "line 2: expected at most 3 cells, as the first line has, found 4")]
    [InlineData("file_name,conditioning_file_name,caption\n2.png,2.png,\"one\n", "line 2: expected a closing quotation mark, found the end of the file")]
    [InlineData(
        "file_name;conditioning_file_name;caption\n2.png;2.png;one", "expected a column 'file_name', found only 'file_name;conditioning_file_name;caption'")]
    [InlineData("file_name,conditioning_file_name,caption\n2.png,2.png,", "line 2, column 'caption': expected a text, found null")]
    [InlineData("file_name,conditioning_file_name,caption,kept\n2.png,2.png,one,maybe", "line 2, column 'kept': expected a value of kind Flag, found 'maybe'")]
    [InlineData("file_name,conditioning_file_name,caption,caption\n2.png,2.png,one,two", "line 1: expected columns of different names")]
    [InlineData("file_name,conditioning_file_name,caption\n../outside.png,2.png,one", "expected a file below the metadata's folder")]
    public void Read_OfACsvFileThatIsDamaged_NamesTheLine(string text, string message)
    {
        WriteCsv(text);

        Assert.Contains(message, Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfACsvFileThatIsNotUtf8_NamesTheLine()
    {
        File.WriteAllBytes(
            Path.Combine(_folder, "train", "metadata.csv"), Encoding.Latin1.GetBytes("file_name,conditioning_file_name,caption\n2.png,2.png,größer"));

        Assert.Contains(
            "metadata.csv', line 2: expected text in UTF-8, found byte 0xf6 at 2",
            Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfAParquetFile_GivesTheSameRows()
    {
        string file = Path.Combine(_folder, "train", "metadata.parquet");
        Column[] columns =
            [
                new Column<string>("file_name"),
                new Column<string>("conditioning_file_name"),
                new Column<string>("caption"),
                new Column<double?>("votes"),
                new Column<long?>("confidence"),
            ];
        using (ParquetFileWriter writer = new(file, columns))
        {
            using RowGroupWriter group = writer.AppendRowGroup();
            Fill(group, "./2.png", "ab\\1.png");
            Fill(group, "ab/1.png", "2.png");
            Fill(group, "größer", "two");
            Fill<double?>(group, 3.0, null);
            Fill<long?>(group, 1, 0);
            writer.Close();
        }

        PairDataset dataset = PairDataset.Open(_folder);

        Assert.Equal(PairFormat.ImageFolder, dataset.Format);
        Assert.Equal(
            [("größer", "2.png", "1.png", 3, 1.0), ("two", "1.png", "2.png", null, 0.0)],
            dataset.Read().Select(r => (r.Caption, r.Image.Name!, r.Conditioning.Name!, r.Details.Votes, r.Details.Confidence)));
        Assert.Contains("metadata.parquet', row 1", dataset.Read().Last().Source, StringComparison.Ordinal);
        Assert.Equal(PairFormat.ImageFolder, PairDataset.Open(file).Format);

        static void Fill<T>(RowGroupWriter group, params T[] values)
        {
            using LogicalColumnWriter<T> writer = group.NextColumn().LogicalWriter<T>();
            writer.WriteBatch(values);
        }
    }

    [Fact]
    public void Open_OfMetadataOfTwoKinds_RefusesThem()
    {
        Write("""{"file_name":"2.png","conditioning_file_name":"2.png","caption":"one"}""");
        WriteCsv("file_name,conditioning_file_name,caption\n2.png,2.png,one");

        Assert.Contains(
            "expected metadata files of one kind, found metadata.csv and metadata.jsonl",
            Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message,
            StringComparison.Ordinal);
    }

    // Those of 'datasets' are one split: no folder's name is one.
    [Fact]
    public void Read_OfMetadataInSubFolders_GoesThroughAll()
    {
        string line = """{"file_name":"1.png","conditioning_file_name":"1.png","caption":"@"}""";
        foreach (string folder in new[] { "ab", "cd" })
        {
            Directory.CreateDirectory(Path.Combine(_folder, "train", folder));
            TestRun.Grid(folder, 20).Save(Path.Combine(_folder, "train", folder, "1.png"));
            File.WriteAllText(Path.Combine(_folder, "train", folder, "metadata.jsonl"), line.Replace("@", folder, StringComparison.Ordinal));
        }

        Assert.Equal(["ab", "cd"], PairDataset.Open(_folder).Read().Select(r => r.Caption));
        Assert.Equal(["ab", "cd"], PairDataset.Open(Path.Combine(_folder, "train")).Read().Select(r => r.Caption));
    }

    [Fact]
    public void Open_OfMetadataAboveFoldersOfSplits_AsksForOneEach()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "test"));
        TestRun.Grid("t", 20).Save(Path.Combine(_folder, "test", "1.png"));
        string file = Path.Combine(_folder, "metadata.jsonl");
        File.WriteAllText(file, """{"file_name":"test/1.png","conditioning_file_name":"train/2.png","caption":"one"}""");

        Assert.Contains(
            "expected the metadata of one split, found folders of test and train below it",
            Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message,
            StringComparison.Ordinal);
        Assert.Single(PairDataset.Open(file).Read());
    }

    [Fact]
    public void Decode_TurnsAPictureAsItsExifSays()
    {
        byte[] phone = Oriented.Jpeg(TestRun.Grid("a", 20).EncodeJpeg(), Oriented.Exif(6));
        File.WriteAllBytes(Path.Combine(_folder, "train", "3.jpg"), phone);
        Write("""{"file_name":"3.jpg","conditioning_file_name":"2.png","caption":"one"}""");

        PairRecord row = PairDataset.Open(_folder).Read().First();

        Assert.Equal((20, 40), (row.Image.Decode().Width, row.Image.Decode().Height));
        Assert.Equal(phone, row.Image.ReadBytes().ToArray());
    }

    private void WriteCsv(string text) => File.WriteAllText(Path.Combine(_folder, "train", "metadata.csv"), text);

    private void Write(params string[] lines) => File.WriteAllText(Path.Combine(_folder, "train", "metadata.jsonl"), string.Join('\n', lines));
}
