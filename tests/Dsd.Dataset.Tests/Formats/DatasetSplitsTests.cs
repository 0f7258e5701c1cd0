using Dsd.Dataset.Formats;
using Dsd.Runs.Export;
using Dsd.Testing.Runs;

namespace Dsd.Dataset.Tests.Formats;

/// <summary>
/// The rules of <c>datasets</c> 5.0.2.dev0, <c>data_files.py</c>: SPLIT_PATTERN_SHARDED, then words in folders' names, then in files'
/// names, then all is train.
/// </summary>
public sealed class DatasetSplitsTests
{
    [Theory]
    [InlineData("data/train.parquet data/test.parquet", "test=data/test.parquet train=data/train.parquet")]
    [InlineData("training.parquet valid.parquet eval.parquet", "test=eval.parquet train=training.parquet validation=valid.parquet")]
    [InlineData(
        "a-val-0.tar a-dev.tar a_validation.tar b.testing.tar evaluation1.tar train0.tar",
        "test=b.testing.tar,evaluation1.tar train=train0.tar validation=a-val-0.tar,a-dev.tar,a_validation.tar")]
    [InlineData("train/a.tar test/a.tar", "test=test/a.tar train=train/a.tar")]
    [InlineData("x/my-train-set/y/metadata.jsonl x/dev/metadata.jsonl", "train=x/my-train-set/y/metadata.jsonl validation=x/dev/metadata.jsonl")]
    [InlineData(
        "data/train-00000-of-00002.parquet data/train-00001-of-00002.parquet", "train=data/train-00000-of-00002.parquet,data/train-00001-of-00002.parquet")]
    [InlineData(
        "data/held_out-00000-of-00001.parquet data/train-00000-of-00001.parquet",
        "held_out=data/held_out-00000-of-00001.parquet train=data/train-00000-of-00001.parquet")]
    [InlineData(
        "data/train-00000-of-00001-0123456789abcdef.parquet data/test-00000-of-00001-0123456789abcdef.parquet",
        "test=data/test-00000-of-00001-0123456789abcdef.parquet train=data/train-00000-of-00001-0123456789abcdef.parquet")]
    [InlineData("a.parquet b.parquet", "train=a.parquet,b.parquet")]
    [InlineData(
        "trainer.parquet latest.parquet contest.parquet retrain.parquet value.parquet device.parquet",
        "train=trainer.parquet,latest.parquet,contest.parquet,retrain.parquet,value.parquet,device.parquet")]
    [InlineData("cats/metadata.jsonl dogs/metadata.jsonl", "train=cats/metadata.jsonl,dogs/metadata.jsonl")]
    [InlineData("Test.parquet b.parquet", "train=Test.parquet,b.parquet")]
    // A folder's word counts before a file's.
    [InlineData("train/part-test.parquet train/b.parquet", "train=train/part-test.parquet,train/b.parquet")]
    [InlineData(
        "train/part-00000-of-00001.parquet test/part-00000-of-00001.parquet", "test=test/part-00000-of-00001.parquet train=train/part-00000-of-00001.parquet")]
    // Two words are two splits.
    [InlineData("train-test.parquet", "test=train-test.parquet train=train-test.parquet")]
    // What 'datasets' leaves out without a word has to be chosen here.
    [InlineData("data/train.parquet data/more.parquet", "(no split in the name)=data/more.parquet train=data/train.parquet")]
    [InlineData("data/train-00000-of-00001.parquet test.parquet", "(no split in the name)=test.parquet train=data/train-00000-of-00001.parquet")]
    // Not theirs: shards of two names are hardly one split.
    [InlineData("cats-00000-of-00001.tar dogs-00000-of-00001.tar", "cats=cats-00000-of-00001.tar dogs=dogs-00000-of-00001.tar")]
    [InlineData("cats-00000-of-00002.tar cats-00001-of-00002.tar", "train=cats-00000-of-00002.tar,cats-00001-of-00002.tar")]
    public void Of_GoesByTheNames(string files, string splits) =>
        Assert.Equal(
            splits,
            string.Join(' ', DatasetSplits.Of(files.Split(' ')).OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Key}={string.Join(',', s)}")));

    [Theory]
    [InlineData(PairFormat.Parquet, "parquet")]
    [InlineData(PairFormat.WebDataset, "tar")]
    public async Task Open_OfTrainAndTestFiles_AsksWhich(PairFormat format, string ending)
    {
        using TestRun three = await TestRun.Of(3);
        using TestRun two = await TestRun.Of(2);
        RunExport.Write(three.Folder, three.Path("out"), new DatasetWriteOptions { Format = format });
        RunExport.Write(two.Folder, two.Path("out"), new DatasetWriteOptions { Format = format });
        Directory.CreateDirectory(three.Path("both", "data"));
        File.Copy(three.Path("out", "data", $"train-00000-of-00001.{ending}"), three.Path("both", "data", $"train.{ending}"));
        File.Copy(two.Path("out", "data", $"train-00000-of-00001.{ending}"), three.Path("both", "data", $"eval.{ending}"));

        Assert.Contains(
            "expected one split, found test, train. Say which",
            Assert.Throws<DatasetException>(() => PairDataset.Open(three.Path("both"))).Message,
            StringComparison.Ordinal);
        Assert.Equal((6, 4), (Rows("train"), Rows("test")));
        Assert.Contains(
            "expected a split 'eval', found only test, train", Assert.Throws<DatasetException>(() => Rows("eval")).Message, StringComparison.Ordinal);

        int Rows(string split) => PairDataset.Open(three.Path("both"), new PairDatasetOptions { Split = split }).Read().Count();
    }

    [Fact]
    public async Task Open_OfAnImageFolderWithTwoSplits_AsksWhich()
    {
        using TestRun run = await TestRun.Of(1);
        RunExport.Write(run.Folder, run.Path("out"), new DatasetWriteOptions { Format = PairFormat.ImageFolder });
        Directory.CreateDirectory(run.Path("out", "valid"));
        File.WriteAllText(run.Path("out", "valid", "metadata.csv"), "file_name,conditioning_file_name,caption\na.png,a.png,one\n");

        Assert.Contains("found train, validation", Assert.Throws<DatasetException>(() => PairDataset.Open(run.Path("out"))).Message, StringComparison.Ordinal);
        Assert.Equal("one", Assert.Single(PairDataset.Open(run.Path("out"), new PairDatasetOptions { Split = "validation" }).Read()).Caption);
    }
}
