using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Curation.Judging;
using Dsd.Runs;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

public sealed class CurateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Run_CuratesWithTheEmbeddedModel_AndGoesOn()
    {
        CliResult first = await Run("run", "--count", "3");
        CliResult second = await Run("run", "--count", "4");

        Assert.True(first.ExitCode == ExitCode.Done, first.Error);
        Assert.Contains("3 grids drawn, 3 pairs judged", first.Error, StringComparison.Ordinal);
        Assert.Contains("1 grids drawn, 1 pairs judged", second.Error, StringComparison.Ordinal);
        JsonElement status = await Cli.Json("curate", "status", _folder.File("run"));
        Assert.Equal(4, status.GetProperty("counts").GetProperty("pairs").GetInt32());
        Assert.Equal("dsd-tiny-judge", status.GetProperty("usage")[0].GetProperty("model").GetString());
    }

    [Fact]
    public async Task Axes_AreScoredAfterwards_AndCutWhatIsWritten()
    {
        Assert.Equal(ExitCode.Done, (await Run("run", "--count", "3")).ExitCode);
        string run = _folder.File("run");

        CliResult scored = await Cli.Run("curate", "axes", run);
        CliResult again = await Cli.Run("curate", "axes", run);
        CliResult survival = await Cli.Run("curate", "survival", run, "--out", _folder.File("survival"), "--least-confidence", "0");
        CliResult all = await Cli.Run("dataset", "write", run, "--out", _folder.File("all"), "--least", "lowest-part=0,composition=0", "--rejected");
        CliResult none = await Cli.Run("dataset", "write", run, "--out", _folder.File("none"), "--reject-flags", "blank", "--least-confidence", "1");

        Assert.StartsWith("3 pairs scored, 0 had scores", scored.Output, StringComparison.Ordinal);
        Assert.StartsWith("0 pairs scored, 3 had scores", again.Output, StringComparison.Ordinal);
        Assert.True(survival.ExitCode == ExitCode.Done, survival.Error);
        Assert.Contains("| pairs scored by axes | 3 | 100.0 % |", File.ReadAllText(_folder.File("survival/survival.md")), StringComparison.Ordinal);
        Assert.True(all.ExitCode == ExitCode.Done, all.Error);
        // Both ways round.
        Assert.StartsWith("6 rows", all.Error.Split('\n').Single(l => l.Contains(" rows, ", StringComparison.Ordinal)), StringComparison.Ordinal);
        // A bar of progress stands before it.
        Assert.Equal(ExitCode.Failed, none.ExitCode);
        Assert.Contains("kept by the cut", none.Error, StringComparison.Ordinal);
        (await Cli.Run("dataset", "preferences", run, "--out", _folder.File("preferences")))
            .AssertFails(ExitCode.Failed, "Dataset from", "Grids of two panels have none");
        foreach (string wrong in new[] { "beauty=4", "composition=5", "composition=1,composition=2" })
        {
            (await Cli.Run("dataset", "write", run, "--out", _folder.File("none"), "--least", wrong))
                .AssertFails(ExitCode.WrongUse, $"'{wrong.Split(',')[^1]}'", "lowest-part");
        }
    }

    [Fact]
    public async Task AGate_KeepsPairsFromTheJudge_AndTheStatusSaysHowMany()
    {
        string encoder = Path.Combine(Fixtures.Repository, "tests", "fixtures-eval", "dino");
        Assert.Equal(ExitCode.Done, (await Cli.Run("export", "--encoder", encoder, "--out", _folder.File("dino"))).ExitCode);
        string[] gate = ["--count", "3", "--gate-encoder", _folder.File("dino")];

        CliResult run = await Run("run", [.. gate, "--gate-most", "-0.9"]);

        // Nothing is kept, and the run says so: the judge was asked about no pair.
        JsonElement status = await Cli.Json("curate", "status", _folder.File("run"));
        JsonElement counts = status.GetProperty("counts");
        Assert.Equal((3, 3, 0), (counts.GetProperty("pairs").GetInt32(), counts.GetProperty("near_copies").GetInt32(), counts.GetProperty("kept").GetInt32()));
        Assert.StartsWith("dino:dino:", Assert.Single(status.GetProperty("usage").EnumerateArray()).GetProperty("judge").GetString());
        Assert.Contains("near copies", run.Output);
        Assert.Contains("3 (100.0 %)", run.Output);
        (await Run("run", [.. gate, "--gate-most", "0.9"])).AssertFails(ExitCode.Failed, "[..-0.9]", "[..0.9]");
        CliResult again = await Run("run", [.. gate, "--gate-most", "-0.9"]);
        Assert.Contains("0 pairs judged", again.Error);
        (await Run("other", "--gate-least", "0.1")).AssertFails(ExitCode.WrongUse, "'--gate-least'", "'--gate-encoder'");
        (await Run("other", gate)).AssertFails(ExitCode.WrongUse, "'--gate-least'", "'--gate-most'");
        (await Run("other", [.. gate, "--gate-least", "0.5", "--gate-most", "0.1"])).AssertFails(ExitCode.WrongUse, "at most");
        (await Run("other", [.. gate, "--gate-least", "2"])).AssertFails(ExitCode.WrongUse, "'--gate-least'");
        (await Run("other", "--gate-encoder", _folder.File("none"), "--gate-least", "0.5")).AssertFails(ExitCode.Failed, _folder.File("none"));
        Assert.False(Directory.Exists(_folder.File("other")));
    }

    [Fact]
    public async Task Shards_MergedGiveTheWhole()
    {
        await Run("whole", "--count", "4", "--batch", "1");
        await Run("first", "--count", "4", "--batch", "1", "--shard", "1/2");
        await Run("second", "--count", "4", "--batch", "1", "--shard", "2/2");

        CliResult merged = await Cli.Run(
            "curate", "merge", "--out", _folder.File("merged"), _folder.File("first"), _folder.File("second"), _folder.File("first"));

        Assert.True(merged.ExitCode == ExitCode.Done, merged.Error);
        Assert.Equal(await Pairs("whole"), await Pairs("merged"));
        Assert.Equal(4, (await Pairs("merged")).Count);
    }

    [Fact]
    public async Task Run_TakesCaptionsFromAFile_AndRefusesOtherOptionsLater()
    {
        File.WriteAllText(_folder.File("captions.jsonl"), """{"key": "fox", "caption": "round green creature with cat ears"}""");
        string[] args = ["curate", "run", "--captions", _folder.File("captions.jsonl"), "--out", _folder.File("run"), "--steps", "1"];

        Assert.Equal(ExitCode.Done, (await Cli.Run(args)).ExitCode);
        (await Cli.Run([.. args, "--prompts", "2"])).AssertFails(ExitCode.Failed, "ledger.db", "prompts_per_caption was 1, is 2");
        Assert.Equal(["fox~0~0-1"], (await Pairs("run")).Select(p => p.Id));
    }

    [Fact]
    public async Task Run_RefusesWhatMakesNoSense_BeforeAFolderIsMade()
    {
        (await Run("run", "--shard", "3/2")).AssertFails(ExitCode.WrongUse, "'--shard'", "3/2");
        (await Run("run", "--task", "dragons")).AssertFails(ExitCode.WrongUse, "'--task'", "dragons", "character");
        (await Run("run", "--layout", "5x5")).AssertFails(ExitCode.WrongUse, "'--layout'", "5x5");
        (await Run("run", "--layout", "3x3")).AssertFails(ExitCode.WrongUse, "3x3", "2x2");
        (await Run("run", "--chat", _folder.File("none.json"))).AssertFails(ExitCode.Failed, "none.json");
        (await Run("run", "--steps", "0")).AssertFails(ExitCode.WrongUse, "'--steps'");
        (await Run("run", "--float8")).AssertFails(ExitCode.WrongUse, "'--float8'");
        (await Run("run", "--model", _folder.File("none"))).AssertFails(ExitCode.Failed, _folder.File("none"));
        (await Cli.Run("curate", "run", "--captions", _folder.File("none.txt"), "--out", _folder.File("run"))).AssertFails(ExitCode.Failed, "none.txt");
        Assert.False(Directory.Exists(_folder.File("run")));
    }

    [Fact]
    public async Task Captions_AreReadToTheirEnd_BeforeAnythingIsDrawn()
    {
        string captions = _folder.File("captions.csv");
        File.WriteAllText(captions, "caption,key\na red fox,fox\n\"no end");

        (await Cli.Run("curate", "run", "--captions", captions, "--out", _folder.File("run"))).AssertFails(ExitCode.Failed, captions, "line 3");
        File.WriteAllText(captions, "caption\n");
        (await Cli.Run("curate", "run", "--captions", captions, "--out", _folder.File("run"))).AssertFails(ExitCode.Failed, captions, "at least one caption");
        Assert.False(Directory.Exists(_folder.File("run")));
    }

    [Fact]
    public async Task OptionsOfTheWorldsCaptions_AreRefusedForAFile()
    {
        string captions = _folder.File("captions.txt");
        File.WriteAllText(captions, "a red fox");

        (await Cli.Run("curate", "run", "--captions", captions, "--count", "3", "--out", _folder.File("run"))).AssertFails(ExitCode.WrongUse, "'--count'");
        (await Cli.Run("curate", "serve", "--captions", captions, "--seed", "3", "--out", _folder.File("run"))).AssertFails(ExitCode.WrongUse, "'--seed'");
        (await Cli.Run("curate", "serve", "--captions", captions, "--address", "3", "--out", _folder.File("run")))
            .AssertFails(ExitCode.WrongUse, "'--address'", "'3'");
        Assert.False(Directory.Exists(_folder.File("run")));
    }

    [Fact]
    public async Task Merge_OfWhatIsNoRun_MakesNothing()
    {
        (await Cli.Run("curate", "merge", "--out", _folder.File("merged"), _folder.Path)).AssertFails(ExitCode.Failed, _folder.Path, "ledger.db");
        Assert.False(Directory.Exists(_folder.File("merged")));
    }

    private async Task<IReadOnlyList<(string Id, VerdictStatus Status, bool Kept, string Reason)>> Pairs(string name)
    {
        await using RunFolder folder = RunFolder.OpenToRead(_folder.File(name));
        return [.. folder.Ledger.Pairs().Select(p => (p.Id, p.Judgement.Status, p.Judgement.Kept, p.Judgement.Reason))];
    }

    private Task<CliResult> Run(string name, params string[] more) =>
        Cli.Run(["curate", "run", "--captions", "tiny", "--out", _folder.File(name), "--steps", "1", .. more]);
}
