using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Dataset.Formats;
using Dsd.Imaging;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Dsd.Testing;
using Dsd.Tools.Train;

namespace Dsd.Tools.Tests;

public sealed class DatasetTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    private string Run => _folder.File("run");

    private string Out => _folder.File("out");

    public async Task InitializeAsync()
    {
        await using RunFolder run = RunFolder.Open(Run);
        await run.BeginAsync("test", new Dictionary<string, string>
        {
            ["pairs"] = nameof(PairChoice.Ordered),
            ["cutting"] = JsonSerializer.Serialize(new PanelCutterOptions()),
        });
        await AddAsync(run, "a", kept: true, seed: 'a');
        await AddAsync(run, "b", kept: false, seed: 'b');
    }

    private static async Task AddAsync(RunFolder run, string key, bool kept, int seed)
    {
        byte[] pixels = new byte[3 * 32 * 16];
        new Random(seed).NextBytes(pixels);
        await run.WritePromptsAsync(
            new SeedCaption(key, key),
                [new LedgerPrompt($"{key}~0", key, 0, new GridPrompt(key, GridLayout.OneByTwo, key, [$"{key} at home", $"{key} at\u001b[2J sea"]), 1)]);
        await run.WriteGridAsync($"{key}~0", new Picture(32, 16, pixels), "test");
        await run.WritePairAsync(new LedgerPair($"{key}~0~0-1", $"{key}~0", 0, 1, Judged(kept)));
    }

    private static PairJudgement Judged(bool kept)
    {
        Verdict verdict = new() { Subject = "it", DescriptionA = "1", DescriptionB = "2", Differences = [], Same = kept, Confidence = 0.9, Flags = [] };
        return new PairJudgement
        {
            Status = VerdictStatus.Decided,
            Kept = kept,
            Confidence = 0.9,
            Reason = "so",
            Votes = [new JudgeVote { Judge = "judge", Kept = kept, Verdict = verdict, Reason = "so", Attempts = 1 }],
        };
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task SeveralReferences_StandInARow_AndTrainingSaysThatItTakesTheFirst()
    {
        await using (RunFolder run = RunFolder.Open(Run))
        {
            byte[] pixels = new byte[3 * 32 * 32];
            new Random(4).NextBytes(pixels);
            GridPrompt prompt = new("q", GridLayout.TwoByTwo, "q", ["q 0", "q 1", "q 2", "q 3"]);
            await run.WritePromptsAsync(new SeedCaption("q", "q"), [new LedgerPrompt("q~0", "q", 0, prompt, 1)]);
            await run.WriteGridAsync("q~0", new Picture(32, 32, pixels), "test");
            // Panel 3 is another subject.
            foreach ((int a, int b) in new[] { (0, 1), (0, 2), (1, 2), (0, 3) })
            {
                await run.WritePairAsync(new LedgerPair($"q~0~{a}-{b}", "q~0", a, b, Judged(kept: b < 3)));
            }
        }
        string[] write = ["dataset", "write", Run, "--out", Out, "--references", "2"];

        CliResult written = await Cli.Run(write);

        // Of each of three targets both others, once in each order; the two rows of the grid of two panels have one reference.
        Assert.True(written.ExitCode == ExitCode.Done, written.Error);
        Assert.Contains("6 rows", written.Error, StringComparison.Ordinal);
        Assert.Contains("2 rows are left out: their targets have fewer than 2 references", written.Error, StringComparison.Ordinal);
        CliResult seen = await Cli.Run("dataset", "inspect", Out);
        Assert.Contains("columns: image, conditioning, conditioning_2, caption", seen.Output, StringComparison.Ordinal);
        Assert.Contains("first row: conditioning_2 16 × 16 pixels", seen.Output, StringComparison.Ordinal);
        PairSource source = new([PairDataset.Open(Out)], null);
        PairRecord first = PairDataset.Open(Out).Read().First();
        Assert.Equal("q~0~0-1", first.Details.Id);
        Assert.Equal(6, source.Read(default).Count());
        Assert.Equal(6, source.Further);
        (await Cli.Run([.. write, "--overwrite", "--rejected"])).AssertFails(ExitCode.WrongUse, "'--references'", "'--rejected'");
        CliResult none = await Cli.Run([.. write[..^1], "9", "--overwrite"]);
        Assert.Equal(ExitCode.Failed, none.ExitCode);
        Assert.Contains("targets with 9 references", none.Error, StringComparison.Ordinal);
        Assert.Equal(6, PairDataset.Open(Out).RowCount);
    }

    [Fact]
    public async Task NearDuplicates_OfAnEarlierGrid_AreLeftOut()
    {
        await using (RunFolder run = RunFolder.Open(Run))
        {
            await AddAsync(run, "d", kept: true, seed: 'd');
            // Drawn after it and named before it: what counts is the order of names.
            await AddAsync(run, "c", kept: true, seed: 'a');
            await AddAsync(run, "0", kept: false, seed: 'd');
        }
        string encoder = Path.Combine(Fixtures.Repository, "tests", "fixtures-eval", "dino");
        Assert.Equal(ExitCode.Done, (await Cli.Run("export", "--encoder", encoder, "--out", _folder.File("dino"))).ExitCode);
        string[] write = ["dataset", "write", Run, "--format", "imagefolder", "--duplicates-encoder", _folder.File("dino"), "--duplicates-most", "0.99999"];

        CliResult kept = await Cli.Run([.. write, "--out", Out]);
        CliResult all = await Cli.Run([.. write, "--rejected", "--out", _folder.File("all")]);

        Assert.True(kept.ExitCode == ExitCode.Done, kept.Error);
        Assert.Contains("1 of 3 grids (33.3 %) nearly repeat an earlier one and are left out", kept.Error);
        Assert.Equal(["a~0", "d~0"], Grids(Out));
        Assert.Contains("2 of 5 grids (40.0 %)", all.Error);
        Assert.Equal(["0~0", "a~0", "b~0"], Grids(_folder.File("all")));
        (await Cli.Run("dataset", "write", Run, "--out", _folder.File("x"), "--duplicates-most", "0.9")).AssertFails(
            ExitCode.WrongUse, "'--duplicates-encoder'", "together");

        static string[] Grids(string folder)
        {
            IEnumerable<string> files = Directory.EnumerateFiles(folder, "*.png", SearchOption.AllDirectories);
            return [.. files.Select(f => Path.GetFileName(f)[..3]).Distinct().Order(StringComparer.Ordinal)];
        }
    }

    [Theory]
    [InlineData("parquet")]
    [InlineData("imagefolder")]
    [InlineData("webdataset")]
    public async Task Write_ThenInspect_SaysWhatWasWritten(string format)
    {
        CliResult written = await Cli.Run("dataset", "write", Run, "--format", format, "--out", Out, "--rejected", "--jpeg", "80");

        Assert.Equal((ExitCode.Done, Out + Environment.NewLine), (written.ExitCode, written.Output));
        Assert.Contains("4 rows, 2 kept", written.Error, StringComparison.Ordinal);
        JsonElement report = await Cli.Json("dataset", "inspect", Out, "--captions", "2");
        Assert.Equal((format, 4, 2, 4, 0),
            (report.GetProperty("format").GetString(), report.GetProperty("rows").GetInt32(), report.GetProperty("kept").GetInt32(),
                report.GetProperty("decided").GetInt32(), report.GetProperty("reviewed").GetInt32()));
        Assert.Equal(["a at [2J sea", "a at home"], report.GetProperty("captions").EnumerateArray().Select(c => c.GetString()));
        Assert.StartsWith("image 16 × 16 pixels in ", report.GetProperty("first_row")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(20, report.GetProperty("columns").GetArrayLength());
    }

    [Fact]
    public async Task Inspect_PrintsLinesForPeople()
    {
        await Cli.Run("dataset", "write", Run, "--out", Out);

        CliResult result = await Cli.Run("dataset", "inspect", Out);

        string[] lines = result.Output.Split(Environment.NewLine);
        Assert.Matches("^.*out: parquet, 2 rows, 1 files, .* kB$", lines[0]);
        Assert.StartsWith("columns: image, conditioning, caption, id,", lines[1], StringComparison.Ordinal);
        Assert.Contains("kept: 2 of 2 (100.0 %)", lines);
        Assert.Contains("caption: a at home", lines);
        Assert.DoesNotContain('\u001b', result.Output);
    }

    [Fact]
    public async Task Inspect_OfTwoSplits_AsksForTheOption()
    {
        await Cli.Run("dataset", "write", Run, "--out", Out);
        File.Move(_folder.File("out", "data", "train-00000-of-00001.parquet"), _folder.File("out", "data", "train.parquet"));
        File.Copy(_folder.File("out", "data", "train.parquet"), _folder.File("out", "data", "my_eval_1.parquet"));

        (await Cli.Run("dataset", "inspect", Out)).AssertFails(ExitCode.Failed, "test, train", "'--split' on the command line");
        Assert.Equal(2, (await Cli.Json("dataset", "inspect", Out, "--split", "test")).GetProperty("rows").GetInt32());
        (await Cli.Run("dataset", "inspect", Out, "--split", "validation")).AssertFails(ExitCode.Failed, "a split 'validation'", "only test, train");
    }

    [Fact]
    public async Task Inspect_OfColumnsWithOtherNames_GoesByTheOptions()
    {
        Directory.CreateDirectory(Out);
        new Picture(8, 4, new byte[3 * 32]).Save(_folder.File("out", "a.png"));
        File.WriteAllText(_folder.File("out", "metadata.csv"), "file_name,edited_file_name,text,kept\n./a.png,a.png,a fox,perhaps\n");
        string[] columns = ["--image-column", "edited", "--conditioning-column", "image", "--caption-column", "text"];

        (await Cli.Run(["dataset", "inspect", Out, .. columns])).AssertFails(ExitCode.Failed, "column 'kept'", "'--no-details' on the command line");
        JsonElement report = await Cli.Json(["dataset", "inspect", Out, .. columns, "--no-details"]);

        Assert.Equal(["edited", "image", "text"], report.GetProperty("columns").EnumerateArray().Select(c => c.GetString()));
        Assert.Equal("a fox", report.GetProperty("captions")[0].GetString());
        (await Cli.Run("dataset", "inspect", Out, "--caption-column", " ")).AssertFails(ExitCode.WrongUse, "--caption-column");
    }

    [Fact]
    public async Task Write_OverAnEarlierDataset_AsksForTheOption()
    {
        await Cli.Run("dataset", "write", Run, "--out", Out);

        (await Cli.Run("dataset", "write", Run, "--out", Out)).AssertFails(ExitCode.Failed, Out, "--overwrite");
        Assert.Equal(ExitCode.Done,
            (await Cli.Run("dataset", "write", Run, "--out", Out, "--overwrite", "--format", "webdataset", "--shard-size", "1")).ExitCode);
        Assert.True(File.Exists(_folder.File("out", "data", "train-00000-of-00001.tar")));
    }

    [Fact]
    public async Task Write_OfAFolderThatIsNoRun_SaysSoAndLeavesNothing()
    {
        (await Cli.Run("dataset", "write", _folder.File("none"), "--out", Out)).AssertFails(ExitCode.Failed, "no ledger", "none");
        Assert.False(Directory.Exists(Out));
    }

    [Theory]
    [InlineData("--format", "csv")]
    [InlineData("--jpeg", "0")]
    [InlineData("--shard-size", "0")]
    public async Task Write_RefusesValuesOutOfRange(string option, string value) =>
        (await Cli.Run("dataset", "write", Run, "--out", Out, option, value)).AssertFails(ExitCode.WrongUse, option, value, "dsd dataset write --help");

    [Fact]
    public async Task Write_OfAnImageFolderWithAShardSize_IsWrongUse() =>
        (await Cli.Run("dataset", "write", Run, "--out", Out, "--format", "imagefolder", "--shard-size", "5"))
            .AssertFails(ExitCode.WrongUse, "--shard-size", "imagefolder");

    [Fact]
    public async Task Inspect_OfARunsFolder_SaysWhatToDoFirst() =>
        (await Cli.Run("dataset", "inspect", Run)).AssertFails(ExitCode.Failed, Run, "dsd dataset write");
}
