using Dsd.Curation.Chat;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Curation.Tasks;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Dsd.Testing;
using Dsd.Tools.Benchmark;
using Dsd.Tools.Serving;

namespace Dsd.Curation.Http.Tests;

public sealed class RunOverHttpTests : IDisposable
{
    private const int Captions = 60;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Budget_ThatIsSpent_EndsTheRunWithAllThatWasPaidForWritten_AndALargerOneGoesOn()
    {
        await using ChatServer server = await Asking.ServerAsync(latency: TimeSpan.FromMilliseconds(30));
        ChatBudget budget = new() { MaxCalls = 25 };

        await Assert.ThrowsAsync<ChatBudgetException>(() => RunAsync(server, budget));

        Assert.Equal((25, 25), (server.Asked, server.Given));
        Assert.Equal((25, 0), await CountsAsync());

        // The next session has heard of the first in the ledger only.
        await Assert.ThrowsAsync<ChatBudgetException>(() => RunAsync(server, new ChatBudget { MaxCalls = 40 }));
        Assert.Equal(40, server.Asked);
        RunProgress rest = await RunAsync(server, new ChatBudget { MaxCalls = Captions });

        Assert.Equal(Captions - 40, rest.Judged);
        Assert.Equal(Captions, server.Asked);
        Assert.Equal((Captions, 0), await CountsAsync());
        await using RunFolder folder = RunFolder.OpenToRead(_folder.Path);
        Assert.Equal(Captions, folder.Ledger.Spent().Calls);
        Assert.Equal(folder.Ledger.Usage().Sum(u => u.InputTokens + u.OutputTokens), folder.Ledger.Spent().Tokens);
    }

    [Theory]
    [InlineData(401, "key")]
    [InlineData(402, "no credit")]
    [InlineData(404, "no such model")]
    public async Task Run_WhoseServerRefusesAll_EndsAtOnceWithTheReason_AndNotesNoFailure(int status, string reason)
    {
        await using ChatServer server = await Asking.ServerAsync(
            q => q.Number >= 20 ? new ChatFault.Status(status, reason) : null, latency: TimeSpan.FromMilliseconds(20));

        ChatFailedException refused = await Assert.ThrowsAsync<ChatFailedException>(() => RunAsync(server, null));

        Assert.Contains($"{status}", refused.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.InRange(server.Asked, 21, 20 + 8);
        Assert.Equal((20, 0), await CountsAsync());
    }

    [Fact]
    public async Task Run_WhoseServerIsAwayForAWhile_JudgesEveryPairOnce()
    {
        // Repeats of some milliseconds do not last until it comes back: waiting for it must. They are so many that no request can use up
        // its own before the tenth failure, which tells.
        await using ChatServer server = await Asking.ServerAsync(q => q.Number < 13 ? new ChatFault.Status(503) : null);

        RunProgress done = await RunAsync(server, null);

        Assert.Equal((Captions, 0), (done.Judged, done.Failed));
        Assert.Equal(Captions, server.Given);
        Assert.Equal((Captions, 0), await CountsAsync());
    }

    [Fact]
    public async Task Run_WithAPairThatTheServerRefuses_NotesItAndJudgesItInTheNext()
    {
        int refused = 0;
        await using ChatServer server = await Asking.ServerAsync(
            q => q.Number == 7 && Interlocked.Increment(ref refused) == 1 ? new ChatFault.Status(400, "content_filter") : null);

        RunProgress first = await RunAsync(server, null);
        (long pairs, long failures) = await CountsAsync();
        RunProgress second = await RunAsync(server, null);

        Assert.Equal((Captions - 1, 1), (first.Judged, first.Failed));
        Assert.Equal((Captions - 1, 1), (pairs, failures));
        Assert.Equal((1, 0), (second.Judged, second.Failed));
        Assert.Equal((Captions, 0), await CountsAsync());
    }

    private async Task<RunProgress> RunAsync(ChatServer server, ChatBudget? budget)
    {
        using LimitedChatClient client =
            Asking.Client(server, Asking.Quick with { Concurrency = 8, Retries = 10, LongestWait = TimeSpan.FromMilliseconds(5), Budget = budget });
        await using RunFolder folder = RunFolder.Open(_folder.Path);
        await using SharedBudget shared = await SharedBudget.StartAsync(folder, budget ?? new ChatBudget());
        RunOptions options = new() { Task = CurationTask.Load("character"), Layout = GridLayout.OneByTwo, Judges = 8 };
        return await new CurationRun(folder, options, new TemplateGridPromptWriter(), new WorldGrids(16), new PairJudge(client)).RunAsync(Seeds());
    }

    private async Task<(long Pairs, long Failures)> CountsAsync()
    {
        await using RunFolder folder = RunFolder.OpenToRead(_folder.Path);
        LedgerCounts counts = folder.Ledger.Counts();
        return (counts.Pairs, counts.Failures);
    }

    private static async IAsyncEnumerable<SeedCaption> Seeds()
    {
        await Task.Yield();
        for (int i = 0; i < Captions; i++)
        {
            yield return new SeedCaption($"c{i}", $"a creature, number {i}");
        }
    }
}
