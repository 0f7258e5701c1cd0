using Dsd.Curation.Axes;
using Dsd.Curation.Chat;
using Dsd.Curation.Tests;
using Dsd.Runs.Ledger;
using Dsd.Testing.Runs;
using Microsoft.Extensions.AI;

namespace Dsd.Runs.Tests;

public sealed class AxesRunTests : IAsyncLifetime
{
    private const int Judged = 24;
    private readonly TemporaryFolder _folder = new();

    public Task InitializeAsync() => SampleRun.IntoAsync(_folder.Path, SampleRun.Captions(2));

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task EachPair_IsScoredOnce_WithItsPanelsAndCaptions()
    {
        CallbackChatClient client = new(Pairs.Axes(3).ToJson());
        Assert.Equal(new AxesProgress(Judged, 0, 0, 0), await Run(client));
        Assert.Equal(new AxesProgress(0, 0, 0, Judged), await Run(client));

        Assert.Equal(Judged, client.Calls.Count);
        await using RunLedger ledger = RunLedger.OpenToRead(RunFolder.LedgerFile(_folder.Path));
        LedgerPair pair = ledger.PairOf("c0000~0~1-3");
        Assert.Equal(3, pair.Axes!.Axes!.Composition);
        LedgerPrompt prompt = ledger.PromptOf(pair.PromptId);
        Assert.Contains(client.Calls, call =>
            call.Messages[1].Text.IndexOf(prompt.Prompt.Captions[1], StringComparison.Ordinal) is >= 0 and var first
            && call.Messages[1].Text.IndexOf(prompt.Prompt.Captions[3], StringComparison.Ordinal) > first);
        Assert.All(client.Calls, call => Assert.Equal(2, call.Messages[1].Contents.OfType<DataContent>().Count()));
    }

    [Fact]
    public async Task KeptOnly_LeavesOutTheOthers()
    {
        CallbackChatClient client = new(Pairs.Axes(3).ToJson());
        long kept;
        await using (RunLedger ledger = RunLedger.OpenToRead(RunFolder.LedgerFile(_folder.Path)))
        {
            kept = ledger.Counts().Kept;
        }
        Assert.InRange(kept, 1, Judged - 1);
        Assert.Equal(kept, (await Run(client, new AxesRunOptions { KeptOnly = true })).Scored);
        Assert.Equal(new AxesProgress(Judged - kept, 0, 0, kept), await Run(client));
    }

    [Fact]
    public async Task WhatFailedOrCouldNotBeRead_IsAskedAgainByTheNextRun()
    {
        CallbackChatClient bad = new((call, _, _) => call == 0 ? throw new ChatFailedException("status 500", mayPass: true) : Task.FromResult("no"));
        Assert.Equal(new AxesProgress(0, Judged - 1, 1, 0), await Run(bad, new AxesRunOptions { Concurrency = 1 }));
        await using (RunLedger ledger = RunLedger.OpenToRead(RunFolder.LedgerFile(_folder.Path)))
        {
            Assert.Equal(("axes", "status 500"), (ledger.Failures()[0].Stage, ledger.Failures()[0].Message));
        }

        Assert.Equal(new AxesProgress(Judged, 0, 0, 0), await Run(new CallbackChatClient(Pairs.Axes(3).ToJson())));
        await using RunLedger after = RunLedger.OpenToRead(RunFolder.LedgerFile(_folder.Path));
        Assert.Empty(after.Failures());
    }

    [Fact]
    public async Task ASpentBudget_EndsTheRun_AndTheNextGoesOn()
    {
        ChatBudget budget = new() { MaxCalls = 10 };
        CallbackChatClient first = new(Pairs.Axes(3).ToJson());
        using (LimitedChatClient limited = new(first, new ChatLimits { Budget = budget }))
        {
            await Assert.ThrowsAsync<ChatBudgetException>(() => Run(limited, new AxesRunOptions { Concurrency = 1 }));
        }
        AxesProgress rest = await Run(new CallbackChatClient(Pairs.Axes(3).ToJson()));

        Assert.Equal((10, new AxesProgress(Judged - 10, 0, 0, 10)), (first.Calls.Count, rest));
    }

    [Fact]
    public async Task AnotherJudge_IsRefused()
    {
        await Run(new CallbackChatClient(Pairs.Axes(3).ToJson()));
        await using RunFolder folder = RunFolder.Open(_folder.Path);
        AxesJudge other = new(new CallbackChatClient(Pairs.Axes(1).ToJson()), new AxesJudgeOptions { Name = "other" });

        Assert.Contains("other", (await Assert.ThrowsAsync<LedgerException>(() => new AxesRun(folder, other).RunAsync())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TooManyFailuresInARow_EndTheRun()
    {
        CallbackChatClient down = new((_, _, _) => throw new ChatFailedException("status 500", mayPass: true));
        await Assert.ThrowsAsync<ChatFailedException>(() => Run(down, new AxesRunOptions { Concurrency = 1, MostFailures = 4 }));

        Assert.Equal(4, down.Calls.Count);
    }

    [Fact]
    public async Task Scores_AreKept_ForWhoeverGoesOn()
    {
        Curation.Judging.JudgedScore score = new() { Item = "i", Metric = "m", Repeat = 1, Judge = "j", Question = "q", Reason = "r", Score = 3, Model = "x" };
        await using (RunLedger ledger = RunLedger.Open(_folder.File("scores.db")))
        {
            LedgerScores scores = new(ledger);
            Assert.Null(await scores.FindAsync("i", "m", 1, "j"));
            await scores.WriteAsync(score with { Score = null });
            await scores.WriteAsync(score);
        }
        await using RunLedger again = RunLedger.Open(_folder.File("scores.db"));

        Assert.Equal(score, await new LedgerScores(again).FindAsync("i", "m", 1, "j"));
        Assert.Null(await new LedgerScores(again).FindAsync("i", "m", 0, "j"));
    }

    private async Task<AxesProgress> Run(IChatClient client, AxesRunOptions? options = null)
    {
        await using RunFolder folder = RunFolder.Open(_folder.Path);
        return await new AxesRun(folder, new AxesJudge(client), options).RunAsync();
    }
}
