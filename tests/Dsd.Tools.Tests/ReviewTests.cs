using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

public sealed class ReviewTests : IAsyncLifetime
{
    private readonly TemporaryFolder _temporary = new();

    private string Run => Path.Combine(_temporary.Path, "run");

    public async Task InitializeAsync()
    {
        await using RunFolder folder = RunFolder.Open(Run);
        await folder.BeginAsync("test", new Dictionary<string, string> { ["cutting"] = JsonSerializer.Serialize(new PanelCutterOptions()) });
        SeedCaption caption = new("a", "a fox");
        await folder.WritePromptsAsync(
            caption, [new LedgerPrompt("a~0", "a", 0, new GridPrompt("two foxes", GridLayout.OneByTwo, "a fox", ["one", "two"]), 1)]);
        await folder.WriteGridAsync("a~0", new Picture(64, 32, new byte[3 * 64 * 32]), "test");
        await folder.WritePairAsync(new LedgerPair("a~0~0-1", "a~0", 0, 1, new PairJudgement
        {
            Status = VerdictStatus.Undecided,
            Kept = false,
            Reason = "undecided",
            Votes = [],
        }));
        await folder.Ledger.WriteReviewAsync("a~0~0-1", true, DateTimeOffset.UnixEpoch);
    }

    public Task DisposeAsync()
    {
        _temporary.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Review_PrintsItsAddress_AndEndsCleanlyWhenCancelled()
    {
        using CancellationTokenSource stop = new();
        using StringWriter output = new();
        using StringWriter error = new();
        Task<int> review = DsdCli.Program.RunAsync(
            ["review", Run, "--no-browser"], TextWriter.Synchronized(output), TextWriter.Synchronized(error), stop.Token);
        for (int i = 0; i < 200 && !error.ToString().Contains("Ctrl-C", StringComparison.Ordinal) && !review.IsCompleted; i++)
        {
            await Task.Delay(50);
        }
        using HttpClient http = new();
        Assert.Contains("Review of pairs", await http.GetStringAsync(output.ToString().Trim()), StringComparison.Ordinal);

        await stop.CancelAsync();
        Assert.Equal(ExitCode.Done, await review);
        Assert.Contains("verdicts written: 0", error.ToString(), StringComparison.Ordinal);
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetStringAsync(output.ToString().Trim()));
    }

    [Fact]
    public async Task Review_WritesPageAndReport()
    {
        (string page, string report) = (Path.Combine(_temporary.Path, "page"), Path.Combine(_temporary.Path, "report"));
        CliResult result = await Cli.Run("review", Run, "--out", page, "--report", report);

        Assert.True(result.ExitCode == ExitCode.Done, result.Error);
        Assert.Equal([Path.Combine(page, "index.html"), Path.Combine(report, "report.md")],
            result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Trim()));
        Assert.Contains("One-sided", await File.ReadAllTextAsync(Path.Combine(report, "report.md")), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(page, "panels", "00002.jpg")));
    }

    [Theory]
    [InlineData("--most", "5", "--most")]
    [InlineData("--port", "70000", "Option '--port'")]
    public async Task Review_WithWrongOptions_IsRefused(string option, string value, string named) =>
        (await Cli.Run("review", Run, option, value)).AssertFails(ExitCode.WrongUse, named);

    [Fact]
    public async Task Review_ThatWritesFilesAndServes_IsRefused() =>
        (await Cli.Run("review", Run, "--out", Path.Combine(_temporary.Path, "page"), "--port", "8080")).AssertFails(ExitCode.WrongUse, "--port", "--out");

    [Fact]
    public async Task Review_OfAFolderThatIsNoRun_SaysSo() =>
        (await Cli.Run("review", _temporary.Path)).AssertFails(ExitCode.Failed, _temporary.Path, "no ledger");
}
