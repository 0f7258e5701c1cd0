using Dsd.Dataset.Formats;
using Dsd.Imaging;
using Dsd.Testing.Runs;
using ParquetSharp;
using ParquetSharp.Schema;

namespace Dsd.Dataset.Tests.Formats;

/// <summary>Parquet files that others wrote, made with Apache Arrow's own writer.</summary>
public sealed class ParquetPairReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dsd-parquet-").FullName;
    private readonly byte[] _target = TestRun.Grid("target", 20).EncodePng();
    private readonly byte[] _reference = TestRun.Grid("reference", 20).EncodeJpeg();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_OfThePublishedLayout_NeedsNoVerdicts()
    {
        Write(
            "train-00000-of-00002.parquet",
            Images("image", ["a.png", null], _target, _target),
            Images("conditioning", [null, "b.jpg"], _reference, _reference),
            Texts("caption", "one", "two"));
        Write("train-00001-of-00002.parquet", Images("image", [null], _target), Images("conditioning", [null], _reference), Texts("caption", "three"));

        PairDataset dataset = PairDataset.Open(_folder);

        Assert.Equal((PairFormat.Parquet, 3L, 0), (dataset.Format, dataset.RowCount, dataset.Details.Count));
        PairRecord[] rows = [.. dataset.Read()];
        Assert.Equal(["one", "two", "three"], rows.Select(r => r.Caption));
        Assert.Equal(["a.png", null, null], rows.Select(r => r.Image.Name));
        Assert.Null(rows[0].Details.Kept);
        Assert.All(dataset.Read().Select(r => (r.Image.ReadBytes().ToArray(), r.Conditioning.ReadBytes().ToArray())), row =>
        {
            Assert.Equal(_target, row.Item1);
            Assert.Equal(_reference, row.Item2);
        });
    }

    [Fact]
    public void Read_TakesColumnsInAnyOrderAndLeavesOthersAlone()
    {
        Write(
            "a.parquet",
            Texts("licence", "MIT"),
            Texts("caption", "one"),
            Images("conditioning", [null], _reference),
            Texts("reason", "good"),
            Images("image", [null], _target),
            Images("third", [null], _target));

        PairDataset dataset = PairDataset.Open(_folder);

        PairRecord row = Assert.Single(dataset.Read());
        Assert.Equal(("one", "good"), (row.Caption, row.Details.Reason));
        Assert.Equal(["reason"], dataset.Details.Select(d => d.Name));
    }

    [Fact]
    public void Read_OfColumnsWithOtherNames_GoesByTheOptions()
    {
        Write("a.parquet", Images("edited", [null], _target), Images("original", [null], _reference), Texts("instruction", "one"));

        PairDataset dataset = PairDataset.Open(
            _folder, new PairDatasetOptions { ImageColumn = "edited", ConditioningColumn = "original", CaptionColumn = "instruction" });

        Assert.Equal("one", Assert.Single(dataset.Read()).Caption);
    }

    [Fact]
    public void Open_WithoutAColumn_NamesItAndThoseThatAreThere()
    {
        Write("a.parquet", Images("image", [null], _target), Texts("text", "one"));

        DatasetException e = Assert.Throws<DatasetException>(() => PairDataset.Open(_folder));

        Assert.Contains("expected a column 'conditioning' of pictures, found only 'image', 'text'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WhereAVerdictColumnHoldsSomethingElse_SaysHowToLeaveItOut()
    {
        Write("a.parquet", Images("image", [null], _target), Images("conditioning", [null], _reference), Texts("caption", "one"), Texts("kept", "yes"));

        DatasetException e = Assert.Throws<DatasetException>(() => PairDataset.Open(_folder));

        Assert.Contains("column 'kept'", e.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(PairDatasetOptions.ReadDetails), e.Message, StringComparison.Ordinal);
        Assert.Single(PairDataset.Open(_folder, new PairDatasetOptions { ReadDetails = false }).Read());
    }

    [Fact]
    public void ReadBytes_OfARowThatOnlyNamesAFile_NamesRowAndColumn()
    {
        Write(
            "a.parquet",
            Images("image", [null, "/etc/passwd"], _target, null),
            Images("conditioning", [null, null], _reference, _reference),
            Texts("caption", "one", "two"));

        DatasetException e = Assert.Throws<DatasetException>(() => PairDataset.Open(_folder).Read().Select(r => r.Image.ReadBytes().Length).ToArray());

        Assert.Contains("a.parquet', row 1, column 'image': expected a picture's bytes, found only a file's name", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_OfBytesThatAreNoPicture_NamesRowAndColumn()
    {
        Write("a.parquet", Images("image", [null], [1, 2, 3]), Images("conditioning", [null], _reference), Texts("caption", "one"));

        PictureException e = Assert.Throws<PictureException>(() => PairDataset.Open(_folder).Read().Select(r => r.Image.Decode()).ToArray());

        Assert.Contains("a.parquet', row 0, column 'image'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfARowWithoutACaption_NamesIt()
    {
        Write(
            "a.parquet",
            Images("image", [null, null], _target, _target),
            Images("conditioning", [null, null], _reference, _reference),
            Texts("caption", "one", null));

        DatasetException e = Assert.Throws<DatasetException>(() => PairDataset.Open(_folder).Read().ToArray());

        Assert.Contains("row 1, column 'caption': expected a text, found null", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_WhereALaterFileLacksAColumn_NamesIt()
    {
        Write("a.parquet", Images("image", [null], _target), Images("conditioning", [null], _reference), Texts("caption", "one"), Texts("reason", "good"));
        Write("b.parquet", Images("image", [null], _target), Images("conditioning", [null], _reference), Texts("caption", "two"));

        DatasetException e = Assert.Throws<DatasetException>(() => PairDataset.Open(_folder).Read().ToArray());

        Assert.Contains("b.parquet': expected a column 'reason'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfDamagedFiles_AlwaysNamesTheFile()
    {
        Write("a.parquet", Images("image", [null], _target), Images("conditioning", [null], _reference), Texts("caption", "one"));
        string file = Path.Combine(_folder, "a.parquet");
        byte[] whole = File.ReadAllBytes(file);
        Random random = new(1);
        for (int i = 0; i < 300; i++)
        {
            // Either cut off, or with some of the bytes that say what is where changed.
            byte[] damaged = i % 3 == 0 ? whole[..random.Next(whole.Length)] : [.. whole];
            for (int n = i % 3 == 0 ? 0 : 1 + random.Next(8); n > 0; n--)
            {
                damaged[damaged.Length - 1 - random.Next(Math.Min(damaged.Length, 800))] = (byte)random.Next(256);
            }
            File.WriteAllBytes(file, damaged);
            try
            {
                foreach (PairRecord row in PairDataset.Open(file).Read())
                {
                    _ = row.Image.ReadBytes();
                }
            }
            catch (DatasetException e)
            {
                Assert.Contains(file, e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Open_OfAFooterThatClaimsTooMuch_RefusesItBeforeReading()
    {
        byte[] file = [.. "PAR1"u8, .. new byte[100], .. BitConverter.GetBytes(int.MaxValue), .. "PAR1"u8];
        File.WriteAllBytes(Path.Combine(_folder, "a.parquet"), file);

        Assert.Contains($"claims {int.MaxValue}", Assert.Throws<DatasetException>(() => PairDataset.Open(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfFootersWithAnyByteChanged_EndsAndNamesTheFile() => FootersWithAnyByteChanged(each: false);

    [Trait("Category", "Long")]
    [Fact]
    public void Open_OfFootersWithAnyByteChangedInThreeWays_EndsAndNamesTheFile() => FootersWithAnyByteChanged(each: true);

    /// <param name="each">Each byte in three ways; otherwise in one of the three, which take turns.</param>
    private void FootersWithAnyByteChanged(bool each)
    {
        Write("a.parquet", Images("image", [null], _target), Images("conditioning", ["b.jpg"], _reference), Texts("caption", "one"), Texts("reason", "good"));
        string file = Path.Combine(_folder, "a.parquet");
        byte[] whole = File.ReadAllBytes(file);
        int footer = BitConverter.ToInt32(whole.AsSpan(whole.Length - 8));
        for (int at = whole.Length - 8 - footer; at < whole.Length; at++)
        {
            // What stands in the way of counts, ends and numbers that go on.
            byte[] values = [0xff, (byte)(whole[at] | 0x80), (byte)(whole[at] ^ 0x0f)];
            foreach (byte value in each ? values : [values[at % 3]])
            {
                byte[] damaged = [.. whole];
                damaged[at] = value;
                File.WriteAllBytes(file, damaged);
                long before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    foreach (PairRecord row in PairDataset.Open(file).Read())
                    {
                        _ = row.Image.ReadBytes();
                    }
                }
                catch (DatasetException e)
                {
                    Assert.Contains(file, e.Message, StringComparison.Ordinal);
                }
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 40_000_000);
            }
        }
    }

    [Fact]
    public void Open_OfAFooterWithChangedCounts_NamesWhatItClaims()
    {
        // The first field of a footer is its version; the second, a list of structures, is its schema, whose first element has the name of the root.
        Write("a.parquet", Images("image", [null], _target), Images("conditioning", [null], _reference), Texts("caption", "one"));
        string file = Path.Combine(_folder, "a.parquet");
        byte[] bytes = File.ReadAllBytes(file);
        int footer = bytes.Length - 8 - BitConverter.ToInt32(bytes.AsSpan(bytes.Length - 8));
        int list = footer + bytes.AsSpan(footer).IndexOf((byte)0x19) + 1;
        Assert.Equal(0x0c, bytes[list] & 15);
        bytes[list] = 0xfc;
        File.WriteAllBytes(file, bytes);

        DatasetException e = Assert.Throws<DatasetException>(() => PairDataset.Open(_folder));

        Assert.Contains("a.parquet', footer: expected one as Parquet has it, found", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfPagesWithAnyByteChanged_EndsAndNamesTheFile()
    {
        Write("a.parquet", Images("image", [null], [1, 2, 3]), Images("conditioning", ["b.jpg"], [4, 5]), Texts("caption", "one"), Texts("reason", "good"));
        string file = Path.Combine(_folder, "a.parquet");
        byte[] whole = File.ReadAllBytes(file);
        int pages = whole.Length - 8 - BitConverter.ToInt32(whole.AsSpan(whole.Length - 8));
        for (int at = 4; at < pages; at++)
        {
            foreach (byte value in new byte[] { 0xff, (byte)(whole[at] ^ 0x0f) })
            {
                byte[] damaged = [.. whole];
                damaged[at] = value;
                File.WriteAllBytes(file, damaged);
                try
                {
                    foreach (PairRecord row in PairDataset.Open(file).Read())
                    {
                        _ = (row.Image.ReadBytes(), row.Conditioning.ReadBytes());
                    }
                }
                catch (DatasetException e)
                {
                    Assert.Contains(file, e.Message, StringComparison.Ordinal);
                }
            }
        }
    }

    [Theory]
    [InlineData("caption")]
    [InlineData("reason")]
    [InlineData("path")]
    public void Read_OfTextThatIsNotUtf8_NamesTheRowAndColumn(string column)
    {
        Write(
            "a.parquet",
            Images("image", ["1.png", column == "path" ? "Ma@is" : "2.png"], _target, _target), Images("conditioning", [null, null], _reference, _reference),
            Texts("caption", "one", column == "caption" ? "Ma@is" : "two"), Texts("reason", "good", column == "reason" ? "Ma@is" : "good"));
        string file = Path.Combine(_folder, "a.parquet");
        byte[] bytes = File.ReadAllBytes(file);
        for (int at = bytes.AsSpan().IndexOf("Ma@is"u8); at >= 0; at = bytes.AsSpan().IndexOf("Ma@is"u8))
        {
            bytes[at + 2] = 0xef;
        }
        File.WriteAllBytes(file, bytes);

        DatasetException e = Assert.Throws<DatasetException>(() => PairDataset.Open(_folder).Read().ToArray());

        Assert.Contains(
            $"a.parquet', row 1, column '{(column == "path" ? "image/path" : column)}': expected text in UTF-8, found byte 0xef at 2",
            e.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfPicturesFromAPhone_TurnsThem()
    {
        Write(
            "a.parquet",
            Images("image", [null], Oriented.Png(_target, Oriented.Exif(8))),
            Images("conditioning", [null], Oriented.Jpeg(_reference, Oriented.Exif(6))),
            Texts("caption", "one"));

        foreach (PairRecord row in PairDataset.Open(_folder).Read())
        {
            Assert.Equal((20, 40), (row.Image.Decode().Width, row.Image.Decode().Height));
            Assert.Equal((20, 40), (row.Conditioning.Decode().Width, row.Conditioning.Decode().Height));
        }
    }

    private void Write(string file, params (Node Node, Action<RowGroupWriter> Values)[] columns)
    {
        using GroupNode schema = new("schema", Repetition.Required, [.. columns.Select(c => c.Node)]);
        using WriterPropertiesBuilder builder = new();
        using WriterProperties properties = builder.Compression(Compression.Snappy).Build();
        using ParquetFileWriter writer = new(Path.Combine(_folder, file), schema, properties);
        using (RowGroupWriter group = writer.AppendRowGroup())
        {
            foreach ((_, Action<RowGroupWriter> values) in columns)
            {
                values(group);
            }
        }
        writer.Close();
    }

    private static (Node Node, Action<RowGroupWriter> Values) Texts(string name, params string?[] values) => (
        new PrimitiveNode(name, Repetition.Optional, LogicalType.String(), PhysicalType.ByteArray),
        group =>
        {
            using LogicalColumnWriter<string?> writer = group.NextColumn().LogicalWriter<string?>();
            writer.WriteBatch(values);
        }
    );

    private static (Node Node, Action<RowGroupWriter> Values) Images(string name, string?[] paths, params byte[]?[] pictures) => (
        new GroupNode(
            name,
            Repetition.Optional,
            [new PrimitiveNode(
                "bytes",
                Repetition.Optional,
                LogicalType.None(),
                PhysicalType.ByteArray), new PrimitiveNode("path", Repetition.Optional, LogicalType.String(), PhysicalType.ByteArray)]),
        group =>
        {
            using LogicalColumnWriter<Nested<byte[]?>?> bytes = group.NextColumn().LogicalWriter<Nested<byte[]?>?>();
            bytes.WriteBatch([.. pictures.Select(p => (Nested<byte[]?>?)new Nested<byte[]?>(p))]);
            using LogicalColumnWriter<Nested<string?>?> names = group.NextColumn().LogicalWriter<Nested<string?>?>();
            names.WriteBatch([.. paths.Select(p => (Nested<string?>?)new Nested<string?>(p))]);
        }
    );
}
