using Dsd.Imaging;
using Dsd.Review.Reports;
using Dsd.Runs.Ledger;

namespace Dsd.Review.Tests.Reports;

public sealed class JudgeReportTests : IAsyncLifetime
{
    private TestRun _run = null!;

    public async Task InitializeAsync() => _run = await TestRun.MakeAsync(30);

    public Task DisposeAsync()
    {
        _run.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Counts_AreThoseOfTheReviews()
    {
        // Pairs 0, 3, 6, 9 are kept by the judge, 1, 4, 7 rejected, 2, 5 undecided.
        JudgeReport report = await ReportAsync((0, true), (3, true), (6, true), (9, false), (1, true), (4, false), (7, false), (2, true), (5, false));

        Assert.Equal(new LedgerAgreement(3, 1, 2, 3), report.Judgement.Counts);
        Assert.Equal(2, report.Judgement.Undecided);
        Assert.Equal(new LedgerOutcomes(10, 10, 10), report.Outcomes);
        Assert.Equal(ReviewedSide.Both, report.Judgement.Side);
        Assert.Equal(new Proportion(3, 4), report.Judgement.Precision);
        Assert.Equal(new Proportion(3, 5), report.Judgement.Recall);
        Assert.Equal(new Proportion(6, 9), report.Judgement.Agreement);
        Assert.Equal(2 * 0.75 * 0.6 / (0.75 + 0.6), report.Judgement.F1!.Value, 12);
        Assert.InRange(report.Judgement.F1.Value, report.Judgement.F1.Low, report.Judgement.F1.High);
    }

    [Fact]
    public async Task Judges_AreMeasuredByTheirOwnVotes()
    {
        JudgeReport report = await ReportAsync((0, true), (9, false), (1, true), (4, false), (2, true));

        Assert.Equal(["mild", "stern"], report.Judges.Select(j => j.Judge));
        Assert.Equal(new LedgerAgreement(1, 1, 0, 0), report.Judges[0].Counts);
        Assert.Equal(new LedgerAgreement(0, 0, 2, 1), report.Judges[1].Counts);
        Assert.Equal((ReviewedSide.KeptOnly, ReviewedSide.LeftOnly), (report.Judges[0].Side, report.Judges[1].Side));
    }

    [Fact]
    public async Task RunRecall_WeighsBothKindsByHowManyThereAre()
    {
        // Three quarters of kept pairs are right, two fifths of the others are missed; the run has 10 and 20.
        JudgeReport report = await ReportAsync((0, true), (3, true), (6, true), (9, false), (1, true), (4, false), (7, false), (2, true), (5, false));

        Assert.Equal(7.5 / (7.5 + 8), report.RunRecall!.Value, 12);
        Assert.InRange(report.RunRecall.Value, report.RunRecall.Low, report.RunRecall.High);
        Assert.True(report.RunRecall is { Low: > 0, High: < 1 });
    }

    [Theory]
    [InlineData(0, 3, ReviewedSide.KeptOnly)]
    [InlineData(1, 2, ReviewedSide.LeftOnly)]
    public async Task OneSidedReviews_GiveNoRecall(int a, int b, ReviewedSide side)
    {
        JudgeReport report = await ReportAsync((a, true), (b, true));

        Assert.Equal(side, report.Judgement.Side);
        Assert.Null(report.Judgement.Recall.Value);
        Assert.Null(report.Judgement.F1);
        Assert.Null(report.RunRecall);
        Assert.Empty(report.Judgement.Thresholds);
        Assert.Equal(side == ReviewedSide.KeptOnly ? 1.0 : null, report.Judgement.Precision.Value);
    }

    [Fact]
    public async Task NoReviews_DivideByNothing()
    {
        JudgeReport report = await ReportAsync();

        Assert.Equal(ReviewedSide.None, report.Judgement.Side);
        Assert.Null(report.Judgement.Agreement.Value);
        Assert.Null(report.RunRecall);
        Assert.Empty(report.Judges);
    }

    [Fact]
    public async Task PeopleWhoKeepNothing_LeaveRecallUnknown()
    {
        JudgeReport report = await ReportAsync((0, false), (1, false));

        Assert.Equal(0, report.Judgement.Precision.Value);
        Assert.Null(report.Judgement.Recall.Value);
        Assert.Null(report.RunRecall);
    }

    [Fact]
    public async Task Thresholds_CountPairsThatAreCalledTheSameWithThatConfidence()
    {
        // Kept pairs are called the same at 0.9, the others are not called the same at all.
        JudgeReport report = await ReportAsync((0, true), (3, false), (1, true));
        IReadOnlyList<ThresholdPoint> points = report.Judgement.Thresholds;

        Assert.Equal(101, points.Count);
        Assert.All(points.Take(91), p => Assert.Equal((new Proportion(1, 2), new Proportion(1, 2)), (p.Precision, p.Recall)));
        Assert.All(points.Skip(91), p => Assert.Equal((new Proportion(0, 0), new Proportion(0, 2)), (p.Precision, p.Recall)));
    }

    [Fact]
    public async Task Files_HoldTheFiguresAndAPlot()
    {
        JudgeReport report = await ReportAsync((0, true), (3, false), (1, true), (4, true));
        string folder = Path.Combine(_run.Folder, "report");
        JudgeReportFiles.Write(report, folder);
        JudgeReportFiles.Write(report, folder);

        string text = await File.ReadAllTextAsync(Path.Combine(folder, "report.md"));
        Assert.Contains("| the whole judgement | 4 | 25.0 % (4.6 to 69.9; 1 of 4) | 50.0 % (9.5 to 90.5; 1 of 2) | 33.3 %", text, StringComparison.Ordinal);
        Assert.Contains("precision-recall.png", text, StringComparison.Ordinal);
        Assert.Contains("\"both_kept\": 1", await File.ReadAllTextAsync(Path.Combine(folder, "report.json")), StringComparison.Ordinal);
        Picture plot = Picture.Load(Path.Combine(folder, "precision-recall.png"));
        // Both lines are there, in their colours.
        Assert.True(Pixels(plot, 0x2f, 0x5f, 0xc4) > 300);
        Assert.True(Pixels(plot, 0xd9, 0x6b, 0x0b) > 300);
    }

    [Fact]
    public async Task Files_OfAOneSidedReview_SaySo()
    {
        string folder = Path.Combine(_run.Folder, "report");
        JudgeReportFiles.Write(await ReportAsync((0, true), (3, true)), folder);

        Assert.Contains("One-sided", await File.ReadAllTextAsync(Path.Combine(folder, "report.md")), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "precision-recall.png")));
    }

    [Fact]
    public async Task Files_ReplaceNothingElse()
    {
        JudgeReport report = await ReportAsync();

        IOException fault = Assert.Throws<IOException>(() => JudgeReportFiles.Write(report, _run.Folder));
        Assert.Contains(_run.Folder, fault.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_run.Folder, "ledger.db")));
    }

    private static int Pixels(Picture picture, byte r, byte g, byte b)
    {
        int count = 0;
        for (int i = 0; i < picture.Pixels.Length; i += 3)
        {
            count += picture.Pixels[i] == r && picture.Pixels[i + 1] == g && picture.Pixels[i + 2] == b ? 1 : 0;
        }
        return count;
    }

    private async Task<JudgeReport> ReportAsync(params (int Pair, bool Kept)[] verdicts)
    {
        await _run.ReviewAsync(verdicts);
        await using RunLedger ledger = _run.Read();
        return JudgeReport.Of(ledger);
    }
}
