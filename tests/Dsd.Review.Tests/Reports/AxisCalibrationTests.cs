using Dsd.Curation.Axes;
using Dsd.Review.Reports;
using Dsd.Runs.Ledger;

namespace Dsd.Review.Tests.Reports;

public sealed class AxisCalibrationTests : IAsyncLifetime
{
    private TestRun _run = null!;

    public async Task InitializeAsync() => _run = await TestRun.MakeAsync(12);

    public Task DisposeAsync()
    {
        _run.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task EachThreshold_IsMeasuredByPeople()
    {
        // People keep what has 3 or more on object consistency, but for one; quality says nothing. The last two lack a verdict or scores.
        await using RunLedger ledger = RunLedger.Open(Dsd.Runs.RunFolder.LedgerFile(_run.Folder));
        (int Pair, bool? Person, int? Consistency)[] all =
            [(0, true, 4), (1, true, 3), (2, true, 3), (3, false, 3), (4, false, 2), (5, false, 1), (6, false, 0), (7, null, 4), (8, true, null)];
        foreach ((int pair, bool? person, int? consistency) in all)
        {
            await ledger.WriteAxesAsync(TestRun.IdOf(pair), new AxesVote { Judge = "j", Attempts = 1, Axes = consistency is { } c ? Axes(c) : null });
            if (person is not null)
            {
                await ledger.WriteReviewAsync(TestRun.IdOf(pair), person, DateTimeOffset.UnixEpoch);
            }
        }
        AxisCalibration calibration = AxisCalibration.Of(ledger);

        Assert.Equal(7, calibration.Reviewed);
        AxisPoint[] points = [.. calibration.Points.Where(p => p.Axis == PairAxis.ObjectConsistency)];
        Assert.Equal([(3L, 7L), (3, 6), (3, 5), (3, 4), (1, 1)], points.Select(p => (p.Precision.Hits, p.Precision.Of)));
        Assert.Equal([3L, 3, 3, 3, 1], points.Select(p => p.Recall.Hits));
        Assert.Equal(2 * 0.75 / 1.75, points[3].F1!.Value, 12);
        Assert.Equal(3, calibration.Best[PairAxis.ObjectConsistency]);
        Assert.Equal(0, calibration.Best[PairAxis.ImageQuality]);

        JudgeReport report = JudgeReport.Of(ledger);
        string folder = Path.Combine(_run.Folder, "report");
        JudgeReportFiles.Write(report, folder);
        Assert.Contains("| object_consistency | 3 |", File.ReadAllText(Path.Combine(folder, "report.md")), StringComparison.Ordinal);
        Assert.Contains("\"axes\"", File.ReadAllText(Path.Combine(folder, "report.json")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutScores_ThereIsNothingToCalibrate()
    {
        await using RunLedger ledger = RunLedger.Open(Dsd.Runs.RunFolder.LedgerFile(_run.Folder));
        await ledger.WriteReviewAsync(TestRun.IdOf(0), true, DateTimeOffset.UnixEpoch);
        AxisCalibration calibration = AxisCalibration.Of(ledger);

        Assert.Equal(0, calibration.Reviewed);
        Assert.Empty(calibration.Best);
        Assert.All(calibration.Points, p => Assert.Null(p.F1));
    }

    private static PairAxes Axes(int consistency) => new()
    {
        Subject = "s",
        Parts = [new PartScore { Name = "p", Differences = "none", Score = consistency }],
        ObjectConsistency = consistency,
        ImageQuality = 4,
        Composition = 4,
        PromptAdherence = 4,
    };
}
