using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Dsd.Curation.Chat;
using Dsd.Curation.Judging;
using Dsd.Curation.Tests;
using Dsd.Runs;
using Dsd.Runs.Ledger;

namespace Dsd.Cluster.Tests;

/// <summary>Several silos in one process.</summary>
public sealed class SilosTests : IDisposable
{
    private static readonly CurationClusterOptions Options = new() { LeaseTime = TimeSpan.FromSeconds(3), LeaseSize = 2, Patience = TimeSpan.FromSeconds(30) };
    private static readonly RunOptions Run = SampleRun.Options with { BatchSize = 2, Writers = 1, Judges = 2 };
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task ThreeWorkers_OneKilledInTheMiddle_WriteWhatOneProcessWrites()
    {
        await SampleRun.IntoAsync(_folder.File("alone"), SampleRun.Captions(60));
        TaskCompletionSource busy = new();
        int judged = 0;
        // The first worker stops in the midst of its work, and never says so.
        ByteJudge stuck = new(async cancel =>
        {
            if (Interlocked.Increment(ref judged) > 20)
            {
                busy.TrySetResult();
                await Task.Delay(Timeout.Infinite, cancel);
            }
        });
        await using (RunFolder folder = RunFolder.Open(_folder.File("together")))
        {
            await using ClusterCoordinator coordinator = await ClusterCoordinator.StartAsync(Options, folder, SampleRun.Streamed(SampleRun.Captions(60)));
            CurationClusterOptions joining = Options with { Coordinator = coordinator.Endpoint };
            Task<ClusterProgress> all = coordinator.RunAsync();
            ClusterWorker victim = await ClusterWorker.StartAsync(joining);
            ClusterWorker[] workers = await Task.WhenAll(ClusterWorker.StartAsync(joining), ClusterWorker.StartAsync(joining));
            using CancellationTokenSource end = new();
            Task<RunProgress> lost = victim.RunAsync(Run, SampleRun.Writer, new SeededTeacher(), stuck, cancellationToken: end.Token);
            await busy.Task.WaitAsync(TimeSpan.FromSeconds(60));
            await victim.KillAsync();
            Stopwatch since = Stopwatch.StartNew();
            Task<RunProgress[]> work = Task.WhenAll(
                workers.Select(w => w.RunAsync(Run, SampleRun.Writer, new SeededTeacher(TimeSpan.FromMilliseconds(20)), new ByteJudge())));
            while (coordinator.Progress.Returned == 0 && since.Elapsed < TimeSpan.FromMinutes(1))
            {
                await Task.Delay(50);
            }
            TimeSpan returned = since.Elapsed;
            RunProgress[] done = await work.WaitAsync(TimeSpan.FromSeconds(60));
            ClusterProgress progress = await all.WaitAsync(TimeSpan.FromSeconds(60));
            await end.CancelAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => lost);
            foreach (ClusterWorker worker in workers)
            {
                await worker.DisposeAsync();
            }

            Assert.Equal((60, 0, 0), (progress.Captions, progress.Failed, progress.GivenUp));
            Assert.True(progress.Returned > 0);
            Assert.All(done, d => Assert.True(d.Judged > 0));
            // Three seconds of lease, a heartbeat until somebody asks, and a busy machine; by their stalling it would have been ten minutes.
            Assert.True(returned < TimeSpan.FromMinutes(1), $"leases returned after {returned}");
        }
        Assert.Equal(RunRows.Of(_folder.File("alone")), RunRows.Of(_folder.File("together")));
    }

    [Fact]
    public async Task AWorkerThatHangsAndWakesLate_ChangesNothing()
    {
        await SampleRun.IntoAsync(_folder.File("alone"), SampleRun.Captions(12));
        TaskCompletionSource wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource hangs = new();
        ByteJudge hung = new(cancel =>
        {
            hangs.TrySetResult();
            return wake.Task.WaitAsync(cancel);
        });
        await using (RunFolder folder = RunFolder.Open(_folder.File("together")))
        {
            CurationClusterOptions options = Options with { StallTime = TimeSpan.FromSeconds(2) };
            await using ClusterCoordinator coordinator = await ClusterCoordinator.StartAsync(options, folder, SampleRun.Streamed(SampleRun.Captions(12)));
            Task<ClusterProgress> all = coordinator.RunAsync();
            await using ClusterWorker late = await ClusterWorker.StartAsync(options with { Coordinator = coordinator.Endpoint });
            Task<RunProgress> lateWork = late.RunAsync(Run, SampleRun.Writer, new SeededTeacher(), hung);
            await hangs.Task.WaitAsync(TimeSpan.FromSeconds(60));

            // The coordinator works too; it gets what the other holds when that has not moved for the stall time, though it says that it lives.
            RunProgress here = await coordinator.WorkAsync(Run, SampleRun.Writer, new SeededTeacher(), new ByteJudge()).WaitAsync(TimeSpan.FromSeconds(60));
            IReadOnlyList<string> before = RunRows.Of(_folder.File("together"));
            Assert.Equal(RunRows.Of(_folder.File("alone")), before);
            Assert.Equal(12 * 2 * 6, here.Judged);
            wake.SetResult();
            RunProgress again = await lateWork.WaitAsync(TimeSpan.FromSeconds(60));

            Assert.True(again.Judged > 0, "The late worker had something to send.");
            Assert.Equal(before, RunRows.Of(_folder.File("together")));
            Assert.Equal(12, (await all).Captions);
        }
    }

    [Fact]
    public async Task AWorkerWithOtherOptions_IsRefused_AndTheRunGoesOn()
    {
        await using RunFolder folder = RunFolder.Open(_folder.File("together"));
        await using ClusterCoordinator coordinator = await ClusterCoordinator.StartAsync(Options, folder, SampleRun.Streamed(SampleRun.Captions(2)));
        await using ClusterWorker worker = await ClusterWorker.StartAsync(Options with { Coordinator = coordinator.Endpoint });
        Task<ClusterProgress> all = coordinator.RunAsync();
        await coordinator.WorkAsync(Run, SampleRun.Writer, new SeededTeacher(), new ByteJudge());

        LedgerException refused = await Assert.ThrowsAsync<LedgerException>(
            () => worker.RunAsync(Run with { Seed = 6 }, SampleRun.Writer, new SeededTeacher(), new ByteJudge()));

        Assert.Contains("ledger.db", refused.Message, StringComparison.Ordinal);
        Assert.Equal(2, (await all).Captions);
    }

    [Fact]
    public async Task AFailureThatAWorkerNotes_IsLeftForTheNextRun()
    {
        await using (RunFolder folder = RunFolder.Open(_folder.File("together")))
        {
            await using ClusterCoordinator coordinator = await ClusterCoordinator.StartAsync(Options, folder, SampleRun.Streamed(SampleRun.Captions(3)));
            await using ClusterWorker worker = await ClusterWorker.StartAsync(Options with { Coordinator = coordinator.Endpoint });
            Task<ClusterProgress> all = coordinator.RunAsync();
            int asked = 0;
            ByteJudge weak = new(_ => Interlocked.Increment(ref asked) == 5 ? throw new FormatException("no answer") : Task.CompletedTask);
            RunProgress work = await worker.RunAsync(Run, SampleRun.Writer, new SeededTeacher(), weak);

            Assert.Equal((3, 1), ((await all).Captions, (await all).Failed));
            Assert.Equal(1, work.Failed);
            Assert.Equal(("judge", "no answer"), (folder.Ledger.Failures()[0].Stage, folder.Ledger.Failures()[0].Message));
        }
        await SampleRun.IntoAsync(_folder.File("alone"), SampleRun.Captions(3));
        await SampleRun.IntoAsync(_folder.File("together"), SampleRun.Captions(3));
        Assert.Equal(RunRows.Of(_folder.File("alone")), RunRows.Of(_folder.File("together")));
    }

    [Fact]
    public async Task TheBudgetOfTheRun_IsOneForAllWorkersAndSessions()
    {
        const int Most = 120;
        await using RunFolder folder = RunFolder.Open(_folder.File("together"));
        await using ClusterCoordinator coordinator = await ClusterCoordinator.StartAsync(Options, folder, SampleRun.Streamed(SampleRun.Captions(60)));
        await folder.Ledger.WriteSpentAsync("an earlier session", 20, 0);
        int asked = 0;

        async Task WorkAsync()
        {
            await using ClusterWorker worker = await ClusterWorker.StartAsync(Options with { Coordinator = coordinator.Endpoint });
            ChatBudget budget = new() { MaxCalls = Most };
            await using SharedBudget shared = await worker.ShareBudgetAsync(budget);
            using LimitedChatClient client = new(Slow(() => Interlocked.Increment(ref asked)), new ChatLimits { Budget = budget });
            await worker.RunAsync(Run, SampleRun.Writer, new SeededTeacher(), new PairJudge(client));
        }
        Task[] work = [WorkAsync(), WorkAsync(), WorkAsync()];
        foreach (Task worker in work)
        {
            await Assert.ThrowsAsync<ChatBudgetException>(() => worker.WaitAsync(TimeSpan.FromSeconds(120)));
        }

        // Each by itself would have asked as often, 300 times together; they hear of each other once a second, later on a busy machine, and
        // ask ten times in one.
        Assert.InRange(asked, Most - 20, Most + 120);
        Assert.Equal(asked + 20, folder.Ledger.Spent().Calls);
    }

    [Fact]
    public async Task WhatAWorkerSpent_IsNotedBeforeTheCoordinatorEnds()
    {
        int asked = 0;
        await using RunFolder folder = RunFolder.Open(_folder.File("together"));
        await using ClusterCoordinator coordinator = await ClusterCoordinator.StartAsync(Options, folder, SampleRun.Streamed(SampleRun.Captions(1)));
        await using ClusterWorker worker = await ClusterWorker.StartAsync(Options with { Coordinator = coordinator.Endpoint });
        ChatBudget budget = new() { MaxCalls = 1000 };
        await using SharedBudget shared = await worker.ShareBudgetAsync(budget);
        using LimitedChatClient client = new(Slow(() => Interlocked.Increment(ref asked)), new ChatLimits { Budget = budget });
        Task work = worker.RunAsync(Run, SampleRun.Writer, new SeededTeacher(), new PairJudge(client));

        await coordinator.RunAsync().WaitAsync(TimeSpan.FromSeconds(60));

        // The run ends between two of the notes that come by the second.
        Assert.Equal((12, 12), (asked, folder.Ledger.Spent().Calls));
        await work;
    }

    [Fact]
    public async Task ACoordinatorThatIsStopped_TellsItsWorkers()
    {
        await using RunFolder folder = RunFolder.Open(_folder.File("together"));
        await using ClusterCoordinator coordinator = await ClusterCoordinator.StartAsync(Options, folder, SampleRun.Streamed(SampleRun.Captions(50)));
        await using ClusterWorker worker = await ClusterWorker.StartAsync(Options with { Coordinator = coordinator.Endpoint });
        using CancellationTokenSource cancel = new();
        Task<ClusterProgress> all = coordinator.RunAsync(cancel.Token);
        Task<RunProgress> work = worker.RunAsync(Run, SampleRun.Writer, new SeededTeacher(), new ByteJudge(stop => Task.Delay(Timeout.Infinite, stop)));
        while (coordinator.Progress.Leased == 0)
        {
            await Task.Delay(20);
        }

        await cancel.CancelAsync();

        Assert.Contains(
            "stopped", (await Assert.ThrowsAsync<ClusterException>(() => work.WaitAsync(TimeSpan.FromSeconds(60)))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => all.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task AWorkerThatIsThereBeforeItsCoordinator_WaitsForIt()
    {
        int port;
        using (TcpListener listener = new(IPAddress.Loopback, 0))
        {
            listener.Start();
            port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        Task<ClusterWorker> early = ClusterWorker.StartAsync(Options with { Coordinator = new IPEndPoint(IPAddress.Loopback, port) });
        await Task.Delay(TimeSpan.FromSeconds(1));
        await using RunFolder folder = RunFolder.Open(_folder.File("together"));

        await using ClusterCoordinator coordinator = await ClusterCoordinator.StartAsync(Options with { Port = port }, folder, SampleRun.Streamed([]));
        await using ClusterWorker worker = await early;

        Assert.Equal(0, (await worker.RunAsync(Run, SampleRun.Writer, new SeededTeacher(), new ByteJudge())).Captions);
    }

    [Fact]
    public async Task AShard_IsRefusedByAWorker()
    {
        await using RunFolder folder = RunFolder.Open(_folder.File("together"));
        await using ClusterCoordinator coordinator = await ClusterCoordinator.StartAsync(Options, folder, SampleRun.Streamed([]));

        ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(
            () => coordinator.WorkAsync(Run with { Shard = new Shard(1, 2) }, SampleRun.Writer, new SeededTeacher(), new ByteJudge()));

        Assert.Contains("Shard", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Ten answers a second for a judge that asks twice at a time.</summary>
    private static CallbackChatClient Slow(Action asked) => new(async (_, _, cancel) =>
    {
        asked();
        await Task.Delay(200, cancel);
        return new Verdict { Subject = "s", DescriptionA = "A", DescriptionB = "B", Differences = [], Same = true, Confidence = 1, Flags = [] }.ToJson();
    });
}
