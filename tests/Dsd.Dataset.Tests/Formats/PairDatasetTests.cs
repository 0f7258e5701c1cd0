using Dsd.Dataset.Formats;
using Dsd.Runs.Export;
using Dsd.Testing.Runs;

namespace Dsd.Dataset.Tests.Formats;

public sealed class PairDatasetTests
{
    [Fact]
    public async Task Open_OfARunsFolder_SaysWhatToDoFirst()
    {
        using TestRun run = await TestRun.Of(1);

        Assert.Contains("dsd dataset write", Assert.Throws<DatasetException>(() => PairDataset.Open(run.Folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_OfTwoLayouts_NamesBoth()
    {
        using TestRun run = await TestRun.Of(1);
        RunExport.Write(run.Folder, run.Path("both", "a"));
        RunExport.Write(run.Folder, run.Path("both", "b"), new DatasetWriteOptions { Format = PairFormat.WebDataset });

        string message = Assert.Throws<DatasetException>(() => PairDataset.Open(run.Path("both"))).Message;

        Assert.Contains("Parquet (", message, StringComparison.Ordinal);
        Assert.Contains("WebDataset (", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_OfTwoSplits_AsksWhich()
    {
        using TestRun run = await TestRun.Of(2);
        RunExport.Write(run.Folder, run.Path("out"));
        string train = run.Path("out", "data", "train-00000-of-00001.parquet");
        File.Copy(train, run.Path("out", "data", "test-00000-of-00001.parquet"));

        string message = Assert.Throws<DatasetException>(() => PairDataset.Open(run.Path("out"))).Message;
        Assert.Contains("expected one split, found test, train", message, StringComparison.Ordinal);
        Assert.Contains("'--split' on the command line", message, StringComparison.Ordinal);
        Assert.Equal([train], PairDataset.Open(run.Path("out"), new PairDatasetOptions { Split = "train" }).Files);
        Assert.Equal([train], PairDataset.Open(train, new PairDatasetOptions { Split = "train" }).Files);
        Assert.Contains(
            "expected a split 'test', found a file of train",
            Assert.Throws<DatasetException>(() => PairDataset.Open(train, new PairDatasetOptions { Split = "test" })).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "expected a split 'dev'",
            Assert.Throws<DatasetException>(() => PairDataset.Open(run.Path("out"), new PairDatasetOptions { Split = "dev" })).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("empty", "expected Parquet files, tars or a metadata.jsonl, metadata.csv or metadata.parquet, found none of these")]
    [InlineData("empty/a.csv", "expected a file that ends in .parquet or .tar")]
    public void Open_OfAnythingElse_SaysWhatItShouldBe(string path, string message)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("dsd-open-");
        try
        {
            folder.CreateSubdirectory("empty");
            File.WriteAllText(Path.Combine(folder.FullName, "empty", "a.csv"), "");

            Assert.Contains(
                message, Assert.Throws<DatasetException>(() => PairDataset.Open(Path.Combine(folder.FullName, path))).Message, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Open_OfNothing_SaysSo() =>
        Assert.Contains(
            "found nothing there", Assert.Throws<FileNotFoundException>(() => PairDataset.Open("/nowhere/at/all")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(PairFormat.Parquet)]
    [InlineData(PairFormat.WebDataset)]
    public async Task ReadBytes_WhenTheReadingHasEnded_SaysWhenItMayBeRead(PairFormat format)
    {
        using TestRun run = await TestRun.Of(1);
        RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Format = format });
        PairRecord[] rows = [.. PairDataset.Open(run.Path("out")).Read()];

        Assert.Contains(
            "only while the enumeration", Assert.Throws<InvalidOperationException>(() => rows[0].Image.ReadBytes()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PairFormat.Parquet)]
    [InlineData(PairFormat.ImageFolder)]
    [InlineData(PairFormat.WebDataset)]
    public async Task Read_ObeysItsToken(PairFormat format)
    {
        using TestRun run = await TestRun.Of(2);
        RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Format = format });
        using CancellationTokenSource source = new();
        using IEnumerator<PairRecord> rows = PairDataset.Open(run.Path("out"), cancellationToken: source.Token).Read(source.Token).GetEnumerator();
        Assert.True(rows.MoveNext());

        await source.CancelAsync();

        Assert.ThrowsAny<OperationCanceledException>(() => rows.MoveNext());
        Assert.ThrowsAny<OperationCanceledException>(() => PairDataset.Open(run.Path("out"), cancellationToken: source.Token));
    }

    [Fact]
    public async Task Read_MayBeginAnewAtAnyTime()
    {
        using TestRun run = await TestRun.Of(3);
        RunExport.Write(run.Folder, run.Path("out"));
        PairDataset dataset = PairDataset.Open(run.Path("out"));

        string[] one = [.. dataset.Read().Zip(dataset.Read(), (a, b) => a.Details.Id == b.Details.Id ? a.Details.Id! : "differ")];

        Assert.Equal(6, one.Distinct().Count());
        Assert.DoesNotContain("differ", one);
    }
}
