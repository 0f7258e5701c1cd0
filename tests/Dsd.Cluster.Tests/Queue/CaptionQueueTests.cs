using Dsd.Cluster.Queue;
using Dsd.Runs.Ledger;
using Microsoft.Extensions.Time.Testing;

namespace Dsd.Cluster.Tests.Queue;

public sealed class CaptionQueueTests
{
    private static readonly CurationClusterOptions Options =
        new() { LeaseTime = TimeSpan.FromSeconds(60), StallTime = TimeSpan.FromMinutes(10), MostLosses = 3 };
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Lease_ByTwoWorkers_GivesEachCaptionToOneOfThem()
    {
        await using CaptionQueue queue = Queue(10);

        IEnumerable<string> given = (await Keys(queue, "a", 4)).Concat(await Keys(queue, "b", 4)).Concat(await Keys(queue, "a", 4));

        Assert.Equal(SampleRun.Captions(10).Select(c => c.Key), given);
    }

    [Fact]
    public async Task Lease_OfAnEndlessSource_TakesOnlyWhatIsAskedFor()
    {
        int taken = 0;
        async IAsyncEnumerable<SeedCaption> Endless()
        {
            while (true)
            {
                await Task.Yield();
                yield return new SeedCaption($"k{taken++}", "a fox");
            }
        }
        await using CaptionQueue queue = new(Endless(), Options, _time);

        await queue.LeaseAsync("a", 5);

        Assert.Equal(5, taken);
    }

    [Fact]
    public async Task Lease_NotRenewedForTheLeaseTime_ReturnsAndGoesToAnother()
    {
        await using CaptionQueue queue = Queue(2);
        await queue.LeaseAsync("dead", 2);

        _time.Advance(Options.LeaseTime);
        Assert.Empty(await Keys(queue, "b", 2));
        _time.Advance(TimeSpan.FromTicks(1));

        Assert.Equal(["c0000", "c0001"], await Keys(queue, "b", 2));
        Assert.Equal(2, queue.Counts.Returned);
    }

    [Fact]
    public async Task Renew_OfWhatAWorkerHolds_KeepsItAndNothingElse()
    {
        await using CaptionQueue queue = Queue(2);
        await queue.LeaseAsync("a", 2);

        // The reply with the second caption was lost, say: the worker does not know of it.
        for (int i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(15));
            queue.Renew("a", ["c0000"], hasMoved: true);
        }

        Assert.Equal(["c0001"], await Keys(queue, "b", 2));
    }

    [Fact]
    public async Task Renew_ByAWorkerThatHangs_DoesNotKeepItsCaptionsForEver()
    {
        await using CaptionQueue queue = Queue(1);
        await queue.LeaseAsync("hung", 1);

        for (TimeSpan t = TimeSpan.Zero; t <= Options.StallTime; t += TimeSpan.FromSeconds(30))
        {
            Assert.Empty(await Keys(queue, "b", 1));
            _time.Advance(TimeSpan.FromSeconds(30));
            queue.Renew("hung", ["c0000"], hasMoved: false);
        }

        Assert.Equal(["c0000"], await Keys(queue, "b", 1));
    }

    [Fact]
    public async Task Renew_ByASlowWorkerThatMoves_KeepsItsCaptions()
    {
        await using CaptionQueue queue = Queue(1);
        await queue.LeaseAsync("slow", 1);

        for (int i = 0; i < 100; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(30));
            queue.Renew("slow", ["c0000"], hasMoved: i % 10 == 0);
        }

        Assert.Empty(await Keys(queue, "b", 1));
    }

    [Fact]
    public async Task Complete_ByAWorkerThatLostItsLease_ChangesNothing()
    {
        await using CaptionQueue queue = Queue(1);
        await queue.LeaseAsync("late", 1);
        _time.Advance(2 * Options.LeaseTime);
        await queue.LeaseAsync("b", 1);

        queue.Complete("late", "c0000", whole: true);
        Assert.Equal(0, queue.Counts.Captions);
        Assert.False(queue.Done.IsCompleted);
        queue.Complete("b", "c0000", whole: true);

        // The end of the captions is found by asking for more.
        Assert.Equal(QueueState.Finished, (await queue.LeaseAsync("b", 1)).State);
        Assert.Equal(1, queue.Counts.Captions);
    }

    [Fact]
    public async Task Complete_Twice_CountsOnce()
    {
        await using CaptionQueue queue = Queue(2);
        await queue.LeaseAsync("a", 2);

        queue.Complete("a", "c0000", whole: false);
        queue.Complete("a", "c0000", whole: false);

        Assert.Equal((1, 1), (queue.Counts.Captions, queue.Counts.Failed));
    }

    [Fact]
    public async Task Leave_ReturnsWhatTheWorkerHeldAtOnce()
    {
        await using CaptionQueue queue = Queue(2);
        await queue.LeaseAsync("a", 2);
        queue.Complete("a", "c0001", whole: true);

        queue.Leave("a", isLost: false);

        Assert.Equal(["c0000"], await Keys(queue, "b", 2));
        Assert.Equal(1, queue.Counts.Workers);
    }

    [Fact]
    public async Task Lease_OfACaptionThatWorkersAreLostWith_IsGivenUpAndTheRunEnds()
    {
        await using CaptionQueue queue = Queue(1);
        for (int i = 0; i < Options.MostLosses; i++)
        {
            Assert.Equal(["c0000"], await Keys(queue, $"w{i}", 1));
            queue.Leave($"w{i}", isLost: true);
        }

        Assert.Equal(QueueState.Finished, (await queue.LeaseAsync("next", 1)).State);
        Assert.Equal((0, 1), (queue.Counts.Captions, queue.Counts.GivenUp));
        Assert.Equal("c0000", Assert.Single(queue.GivenUp).Key);
        Assert.True(queue.Done.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Deserted_IsDoneWhenTheLastWorkerHasLeft()
    {
        await using CaptionQueue queue = Queue(0);
        await queue.LeaseAsync("a", 1);
        await queue.LeaseAsync("b", 1);

        queue.Leave("a", isLost: false);
        Assert.False(queue.Deserted.IsCompleted);
        queue.Leave("b", isLost: false);

        Assert.True(queue.Deserted.IsCompleted);
    }

    [Fact]
    public async Task Lease_OfASourceThatFails_StopsTheRunWithItsFault()
    {
        static async IAsyncEnumerable<SeedCaption> Broken()
        {
            await Task.Yield();
            yield return new SeedCaption("k", "a fox");
            throw new FormatException("line 2");
        }
        await using CaptionQueue queue = new(Broken(), Options, _time);

        LeaseReply reply = await queue.LeaseAsync("a", 2);

        Assert.Equal(QueueState.Stopped, reply.State);
        Assert.Equal("line 2", (await Assert.ThrowsAsync<FormatException>(() => queue.Done)).Message);
    }

    [Fact]
    public async Task Lease_OfOneKeyForTwoCaptions_IsRefusedByName()
    {
        await using CaptionQueue queue = new(SampleRun.Streamed([new SeedCaption("k", "a fox"), new SeedCaption("k", "an owl")]), Options, _time);

        await queue.LeaseAsync("a", 2);

        Assert.Contains("'k'", (await Assert.ThrowsAsync<ArgumentException>(() => queue.Done)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_IsHeardByWhoRenewsAndWhoLeases()
    {
        await using CaptionQueue queue = Queue(5);
        await queue.LeaseAsync("a", 1);

        queue.Stop();

        Assert.Equal(QueueState.Stopped, queue.Renew("a", ["c0000"], hasMoved: true));
        LeaseReply reply = await queue.LeaseAsync("b", 1);
        Assert.Equal((0, QueueState.Stopped), (reply.Captions.Length, reply.State));
    }

    private static async Task<string[]> Keys(CaptionQueue queue, string worker, int most) =>
        [.. (await queue.LeaseAsync(worker, most)).Captions.Select(c => c.Key)];

    private CaptionQueue Queue(int captions) => new(SampleRun.Streamed(SampleRun.Captions(captions)), Options, _time);
}
