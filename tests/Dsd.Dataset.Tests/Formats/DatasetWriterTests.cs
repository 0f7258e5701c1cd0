using Dsd.Dataset.Formats;
using Dsd.Testing.Runs;

namespace Dsd.Dataset.Tests.Formats;

/// <summary>Datasets of pairs that come from no run.</summary>
public sealed class DatasetWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(PairFormat.Parquet)]
    [InlineData(PairFormat.ImageFolder)]
    [InlineData(PairFormat.WebDataset)]
    public void Write_OfAnyPairs_CanBeRead(PairFormat format)
    {
        WrittenDataset written = DatasetWriter.Write([[Row("a"), Row("b")], [Row("c")]], Target, new DatasetWriteOptions { Format = format });

        Assert.Equal((3, 0), (written.Rows, written.Kept));
        PairRecord[] rows = [.. PairDataset.Open(Target).Read()];
        Assert.Equal(["a", "b", "c"], rows.Select(r => r.Details.Id));
        Assert.All(rows, r => Assert.Equal("a caption", r.Caption));
    }

    [Theory]
    [InlineData("", "a.png", "an id")]
    [InlineData("../a", "a.png", "an id")]
    [InlineData(".a", "a.png", "an id")]
    [InlineData("a", "../a.png", "a picture named")]
    [InlineData("a", "a.jpg", "ends in '.png'")]
    [InlineData("a", null, "a picture named")]
    public void Write_RefusesNamesThatLeadElsewhere(string id, string? picture, string expected)
    {
        DatasetException e = Assert.Throws<DatasetException>(() => DatasetWriter.Write([[Row(id, picture)]], Target));

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Target));
    }

    [Fact]
    public void Write_OfRowsWithOtherNumbersOfReferences_Refuses()
    {
        PairRecord two = Row("a") with { FurtherConditioning = [new EncodedPicture("more.png", TestRun.Grid("more").EncodePng())] };

        Assert.Contains("1 references", Assert.Throws<DatasetException>(() => DatasetWriter.Write([[two]], Target)).Message, StringComparison.Ordinal);
        DatasetWriteOptions options = new() { References = 2 };
        Assert.Contains("found 1", Assert.Throws<DatasetException>(() => DatasetWriter.Write([[Row("a")]], Target, options)).Message, StringComparison.Ordinal);
        PairRecord elsewhere = two with { FurtherConditioning = [new EncodedPicture("../more.png", TestRun.Grid("more").EncodePng())] };
        Assert.Throws<DatasetException>(() => DatasetWriter.Write([[elsewhere]], Target, options));
        Assert.False(Directory.Exists(Target));
        Assert.Equal(1, DatasetWriter.Write([[two]], Target, options).Rows);
    }

    [Fact]
    public void Write_OfNothing_LeavesNothing()
    {
        Assert.Throws<DatasetException>(() => DatasetWriter.Write([], Target));
        Assert.False(Directory.Exists(Target));
    }

    private string Target => _folder.File("out");

    private static PairRecord Row(string id) => Row(id, $"{id}.png");

    private static PairRecord Row(string id, string? picture) => new()
    {
        Source = "the test",
        Image = new EncodedPicture(picture, TestRun.Grid(id).EncodePng()),
        Conditioning = new EncodedPicture($"reference-{id.Replace('/', '-')}.png", TestRun.Grid("reference").EncodePng()),
        Caption = "a caption",
        Details = new PairDetails { Id = id },
    };
}
