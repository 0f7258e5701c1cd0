using System.Text.Json;
using Apache.Arrow.Types;
using Dsd.Curation.Grids;
using Dsd.Dataset.Formats;
using Dsd.Runs.Export;
using Dsd.Testing.Runs;
using ParquetSharp;

namespace Dsd.Dataset.Tests.Formats;

/// <summary>Our Parquet files, seen by Apache Arrow's own reader, which pyarrow and Hugging Face datasets read with too.</summary>
public sealed class ParquetLayoutTests
{
    [Fact]
    public async Task Arrow_SeesThePublishedColumnsAndOursBehindThem()
    {
        using TestRun run = await TestRun.Of(2);
        using ParquetFileReader file = new(Written(run));

        string[] columns = [.. Enumerable.Range(0, file.FileMetaData.NumColumns).Select(i => Describe(file.FileMetaData.Schema.Column(i)))];

        Assert.Equal(
            [
                "image.bytes ByteArray None 2 0", "image.path ByteArray String 2 0", "conditioning.bytes ByteArray None 2 0",
                "conditioning.path ByteArray String 2 0",
                "caption ByteArray String 1 0", "id ByteArray String 1 0", "pair_id ByteArray String 1 0", "caption_key ByteArray String 1 0",
                "kept Boolean None 1 0",
                "reviewed ByteArray String 1 0", "status ByteArray String 1 0", "same Boolean None 1 0", "confidence Double None 1 0",
                "subject ByteArray String 1 0",
                "image_description ByteArray String 1 0", "conditioning_description ByteArray String 1 0", "differences.list.element ByteArray String 3 1",
                "flags.list.element ByteArray String 3 1", "reason ByteArray String 1 0", "judge ByteArray String 1 0", "model ByteArray String 1 0",
                "votes Int32 Int(bitWidth=32, isSigned=true) 1 0",
            ],
            columns);
    }

    [Fact]
    public async Task Arrow_TakesImagesForStructsAndTextsForLists()
    {
        using TestRun run = await TestRun.Of(1);
        using ParquetSharp.Arrow.FileReader file = new(Written(run));

        StructType image = Assert.IsType<StructType>(file.Schema.GetFieldByName("image").DataType);

        Assert.Equal(["bytes binary", "path utf8"], image.Fields.Select(f => $"{f.Name} {f.DataType.Name}"));
        Assert.Equal("utf8", Assert.IsType<ListType>(file.Schema.GetFieldByName("flags").DataType).ValueDataType.Name);
        Assert.All(file.Schema.FieldsList, f => Assert.True(f.IsNullable, f.Name));
    }

    [Fact]
    public async Task Metadata_TellsHuggingFaceTheFeaturesInTheColumnsOrder()
    {
        using TestRun run = await TestRun.Of(1);
        using ParquetFileReader file = new(Written(run));
        using ParquetSharp.Arrow.FileReader arrow = new(Written(run));

        using JsonDocument json = JsonDocument.Parse(file.FileMetaData.KeyValueMetadata["huggingface"]);
        JsonElement features = json.RootElement.GetProperty("info").GetProperty("features");

        Assert.Equal(arrow.Schema.FieldsList.Select(f => f.Name), features.EnumerateObject().Select(f => f.Name));
        Assert.Equal("""{"_type":"Image"}""", features.GetProperty("image").GetRawText());
        Assert.Equal("""{"_type":"Image"}""", features.GetProperty("conditioning").GetRawText());
        Assert.Equal("""{"dtype":"string","_type":"Value"}""", features.GetProperty("caption").GetRawText());
        Assert.Equal("""{"dtype":"bool","_type":"Value"}""", features.GetProperty("kept").GetRawText());
        Assert.Equal("""{"dtype":"float64","_type":"Value"}""", features.GetProperty("confidence").GetRawText());
        Assert.Equal("""{"dtype":"int32","_type":"Value"}""", features.GetProperty("votes").GetRawText());
        Assert.Equal("""{"feature":{"dtype":"string","_type":"Value"},"_type":"Sequence"}""", features.GetProperty("flags").GetRawText());
    }

    [Fact]
    public async Task Arrow_ReadsTheSameValues()
    {
        using TestRun run = await TestRun.Of(PairChoice.Ordered, ("a", TestRun.Kept()), ("b", TestRun.Undecided()));
        string path = Written(run, rejected: true);
        using ParquetFileReader file = new(path);
        using RowGroupReader group = file.RowGroup(0);
        (byte[] Image, byte[] Conditioning)[] rows = [.. PairDataset.Open(path).Read().Select(
            r => (r.Image.ReadBytes().ToArray(), r.Conditioning.ReadBytes().ToArray()))];

        Assert.Equal(4, group.MetaData.NumRows);
        Assert.Equal([.. rows.Select(r => r.Image)], Nested<byte[]>(group, 0));
        Assert.Equal(TestRun.Panels("a")[1].EncodePng(), Nested<byte[]>(group, 0)[0]);
        Assert.Equal(["a~0~1.png", "a~0~0.png", "b~0~1.png", "b~0~0.png"], Nested<string>(group, 1));
        Assert.Equal([.. rows.Select(r => r.Conditioning)], Nested<byte[]>(group, 2));
        Assert.Equal(["a at sea", "a at home", "b at sea", "b at home"], Column<string>(group, 4));
        Assert.Equal([true, true, false, false], Column<bool?>(group, 8));
        Assert.Equal([true, true, null, null], Column<bool?>(group, 11));
        Assert.Equal([0.875, 0.875, null, null], Column<double?>(group, 12));
        Assert.Equal(["a fox — größer", "a fox — größer", "null", "null"], Column<string?>(group, 13).Select(s => s ?? "null"));
        Assert.Equal([["same_pose", "text"], ["same_pose", "text"], [], []], Column<string[]>(group, 17));
        Assert.Equal([2, 2, 1, 1], Column<int?>(group, 21));
    }

    [Fact]
    public async Task RowGroups_AreSmallEnoughToStream()
    {
        using TestRun run = await TestRun.Of(60);
        using ParquetFileReader file = new(Written(run));

        Assert.Equal([100L, 20L], Enumerable.Range(0, file.FileMetaData.NumRowGroups).Select(i =>
        {
            using RowGroupReader group = file.RowGroup(i);
            return group.MetaData.NumRows;
        }));
    }

    private static string Written(TestRun run, bool rejected = false)
    {
        if (!Directory.Exists(run.Path("out")))
        {
            RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { IncludeRejected = rejected });
        }
        return run.Path("out", "data", "train-00000-of-00001.parquet");
    }

    private static string Describe(ColumnDescriptor column) =>
        $"{column.Path} {column.PhysicalType} {column.LogicalType} {column.MaxDefinitionLevel} {column.MaxRepetitionLevel}";

    private static T[] Column<T>(RowGroupReader group, int column)
    {
        using ColumnReader reader = group.Column(column);
        using LogicalColumnReader<T> values = reader.LogicalReader<T>();
        return values.ReadAll((int)group.MetaData.NumRows);
    }

    private static T[] Nested<T>(RowGroupReader group, int column)
        where T : class
    {
        using ColumnReader reader = group.Column(column);
        using LogicalColumnReader<Nested<T>?> values = reader.LogicalReader<Nested<T>?>();
        return [.. values.ReadAll((int)group.MetaData.NumRows).Select(v => v!.Value.Value)];
    }
}
