using System.Text.Json;
using Dsd.Curation.Axes;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Dataset.Formats;
using Dsd.Imaging;
using Dsd.Runs.Export;
using Dsd.Runs.Ledger;
using Dsd.Runs.Reports;
using Dsd.Testing.Runs;

namespace Dsd.Runs.Tests.Export;

/// <summary>A run that was judged is cut again, without anybody being asked.</summary>
public sealed class PairCutTests
{
    private static PriceList Prices { get; } = new(new Dictionary<string, ModelPrice> { ["small-1"] = Price(0), ["large-2"] = Price(0), ["m"] = Price(10) });

    private static PairCut Least(PairAxis axis, int least) => new() { Least = new Dictionary<PairAxis, int> { [axis] = least } };

    [Fact]
    public void Keeps_ByPerson_ThenByVerdictAndAxes()
    {
        LedgerPair kept = Pair(TestRun.Kept(), Pairs.Axes(3, lowestPart: 2));
        LedgerPair rejected = Pair(TestRun.Rejected(), Pairs.Axes(4));

        Assert.True(new PairCut().Keeps(kept));
        Assert.False(new PairCut().Keeps(rejected));
        Assert.False(Least(PairAxis.LowestPart, 4).Keeps(rejected));
        Assert.True(Least(PairAxis.LowestPart, 2).Keeps(kept));
        Assert.False(Least(PairAxis.LowestPart, 3).Keeps(kept));
        Assert.False(PairCut.AllPartsPerfect.Keeps(kept));
        Assert.True(Least(PairAxis.ImageQuality, 3).Keeps(kept));
        Assert.False(Least(PairAxis.ImageQuality, 1).Keeps(Pair(TestRun.Kept(), null)));
        Assert.True(PairCut.AllPartsPerfect.Keeps(kept with { Reviewed = true }));
        Assert.False(new PairCut().Keeps(kept with { Reviewed = false }));
        Assert.False(new PairCut().Keeps(Pair(TestRun.Undecided(), Pairs.Axes(4))));
    }

    [Fact]
    public void LeastConfidence_TakesThePlaceOfTheRunsThreshold_AndFlagsAreGivenAnew()
    {
        // The run rejected it for its confidence alone: the judge called both the same.
        LedgerPair doubted = Pair(TestRun.Kept() with { Kept = false, Confidence = 0.6 }, null);

        Assert.True(new PairCut { LeastConfidence = 0.5 }.Keeps(doubted));
        Assert.False(new PairCut { LeastConfidence = 0.7 }.Keeps(doubted));
        Assert.False(new PairCut { LeastConfidence = 0.5, RejectedFlags = ["TEXT"] }.Keeps(doubted));
        Assert.False(new PairCut { LeastConfidence = 0 }.Keeps(Pair(TestRun.Rejected(), null)));
        Assert.False(new PairCut { LeastConfidence = 0 }.Keeps(Pair(TestRun.Undecided(), null)));
    }

    [Fact]
    public void AThresholdOutOfRange_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => Least(PairAxis.Composition, 5));

    [Fact]
    public async Task ADataset_IsCutAnew_FromOneLedger()
    {
        using TestRun run = await TestRun.Of(
            PairChoice.Unordered, ("a", TestRun.Kept()), ("b", TestRun.Kept()), ("c", TestRun.Kept()), ("d", TestRun.Rejected()));
        await Score(run.Folder, ("a", Pairs.Axes(4)), ("b", Pairs.Axes(3)), ("d", Pairs.Axes(4)));
        long Rows(PairCut? cut, bool rejected = false)
        {
            string target = run.Path(Guid.NewGuid().ToString("N"));
            WrittenDataset written = RunExport.Write(run.Folder, target, new DatasetWriteOptions { IncludeRejected = rejected }, cut: cut).Dataset;
            return rejected ? written.Kept : written.Rows;
        }

        Assert.Equal([3L, 2, 1], new[] { Rows(null), Rows(Least(PairAxis.LowestPart, 3)), Rows(PairCut.AllPartsPerfect) });
        Assert.Equal(1, Rows(PairCut.AllPartsPerfect, rejected: true));
        DatasetException none = Assert.Throws<DatasetException>(() => Rows(Least(PairAxis.Composition, 4) with { LeastConfidence = 0.9 }));
        Assert.Contains("by the cut", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Survival_CountsStagesAndThresholds_AndWhatAKeptPairCosts()
    {
        using TestRun run = await TestRun.Of(
            PairChoice.Unordered, ("a", TestRun.Kept()), ("b", TestRun.Kept()), ("c", TestRun.Kept()), ("d", TestRun.Rejected()), ("e", TestRun.Undecided()));
        await Score(run.Folder, ("a", Pairs.Axes(4)), ("b", Pairs.Axes(3, quality: 1)), ("d", Pairs.Axes(4)));
        await using RunLedger ledger = RunLedger.OpenToRead(RunFolder.LedgerFile(run.Folder));
        SurvivalReport report = SurvivalReport.Of(ledger, prices: Prices);

        Assert.Equal([5, 5, 5, 5, 4, 3, 3], report.Stages.Select(s => s.Count));
        Assert.Equal([2, 2, 2, 2, 1], Curve(report, "object_consistency"));
        Assert.Equal([2, 2, 1, 1, 1], Curve(report, "image_quality"));
        Assert.Equal([2, 2, 1, 1, 1], Curve(report, "all"));
        SurvivalPoint strict = report.Curve.Last();
        // Three questions of 100 tokens at 10 a million; the undecided pair's model has no name, so that nothing is known of the whole.
        Assert.Equal(0.2, strict.Share);
        Assert.Null(report.Cost);
        Assert.Equal(300, strict.TokensPerKept);

        SurvivalReport all = SurvivalReport.Of(ledger, PairCut.AllPartsPerfect);
        Assert.Equal(1, all.Stages[^1].Count);
        report.Write(run.Path("report"));
        Assert.Contains("| all | 4 | 1 | 20.0 % |", File.ReadAllText(run.Path("report", "survival.md")).Replace("20.0%", "20.0 %"), StringComparison.Ordinal);
        Assert.Equal(
            300, JsonDocument.Parse(File.ReadAllText(run.Path("report", "survival.json"))).RootElement.GetProperty("tokens").GetInt64());
    }

    [Fact]
    public async Task Survival_WithPricesForAllModels_GivesTheCostOfAKeptPair()
    {
        using TestRun run = await TestRun.Of(PairChoice.Unordered, ("a", TestRun.Kept()), ("b", TestRun.Kept()), ("d", TestRun.Rejected()));
        await Score(run.Folder, ("a", Pairs.Axes(4)), ("b", Pairs.Axes(3)), ("d", Pairs.Axes(4)));
        await using RunLedger ledger = RunLedger.OpenToRead(RunFolder.LedgerFile(run.Folder));
        SurvivalReport report = SurvivalReport.Of(ledger, prices: Prices);

        Assert.Equal(0.003, report.Cost!.Value, 12);
        Assert.Equal([0.0015, 0.003], report.Curve.Where(p => p.Axis == "lowest_part" && p.Least >= 3).Select(p => Math.Round(p.CostPerKept!.Value, 12)));
    }

    [Fact]
    public async Task Preferences_AreRowsOfOneReference_AKeptPanelAndARejectedOne()
    {
        using TemporaryFolder folder = new();
        await SampleRun.IntoAsync(folder.File("run"), SampleRun.Captions(4));
        long rows = PreferenceExport.Write(folder.File("run"), folder.File("out"), new PreferenceOptions { MostPerReference = 2 });

        await using RunLedger ledger = RunLedger.OpenToRead(RunFolder.LedgerFile(folder.File("run")));
        JsonElement[] lines = [.. File.ReadAllLines(folder.File("out", "metadata.jsonl")).Select(l => JsonDocument.Parse(l).RootElement)];
        Assert.Equal(rows, lines.Length);
        Assert.NotEmpty(lines);
        Assert.All(lines, line =>
        {
            LedgerPair win = ledger.PairOf(line.GetProperty("win_id").GetString()!);
            LedgerPair lose = ledger.PairOf(line.GetProperty("lose_id").GetString()!);
            Assert.True(win.Kept);
            Assert.False(lose.Kept);
            Assert.Equal(VerdictStatus.Decided, lose.Judgement.Status);
            Assert.Equal(win.PromptId, lose.PromptId);
            int[] shared = [.. new[] { win.First, win.Second }.Intersect([lose.First, lose.Second])];
            Assert.EndsWith($"~{Assert.Single(shared)}.png", line.GetProperty("reference_file_name").GetString(), StringComparison.Ordinal);
            Assert.Equal(ledger.PromptOf(win.PromptId).Prompt.Text, line.GetProperty("prompt").GetString());
            foreach (string picture in new[] { "reference_file_name", "win_file_name", "lose_file_name" })
            {
                Assert.InRange(Picture.Load(folder.File("out", line.GetProperty(picture).GetString()!)).Width, 1, 1024);
            }
        });
        Assert.All(lines.GroupBy(l => l.GetProperty("reference_file_name").GetString()), g => Assert.InRange(g.Count(), 1, 2));
        Assert.Throws<IOException>(() => PreferenceExport.Write(folder.File("run"), folder.File("out")));
    }

    [Fact]
    public async Task Preferences_OfGridsOfTwo_AreNone_AndNothingIsLeft()
    {
        using TestRun run = await TestRun.Of(PairChoice.Ordered, ("a", TestRun.Kept()), ("d", TestRun.Rejected()));

        DatasetException none = Assert.Throws<DatasetException>(() => PreferenceExport.Write(run.Folder, run.Path("out")));
        Assert.Contains("two panels", none.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(run.Path("out")));
    }

    private static ModelPrice Price(double input) => new() { Input = input, Output = 0 };

    private static IEnumerable<long> Curve(SurvivalReport report, string axis) => report.Curve.Where(p => p.Axis == axis).Select(p => p.Kept);

    private static LedgerPair Pair(PairJudgement judgement, PairAxes? axes) =>
        new("a~0~0-1", "a~0", 0, 1, judgement) { Axes = axes is null ? null : Vote(axes) };

    private static AxesVote Vote(PairAxes axes) => new() { Judge = "j", Model = "m", Axes = axes, Attempts = 1, InputTokens = 100 };

    private static async Task Score(string folder, params (string Key, PairAxes Axes)[] scores)
    {
        await using RunLedger ledger = RunLedger.Open(RunFolder.LedgerFile(folder));
        foreach ((string key, PairAxes axes) in scores)
        {
            await ledger.WriteAxesAsync(LedgerPair.IdOf($"{key}~0", 0, 1), Vote(axes));
        }
    }
}
