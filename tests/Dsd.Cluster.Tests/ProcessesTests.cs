using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Dsd.Cluster.Tests;

/// <summary>Several processes on one machine.</summary>
public sealed class ProcessesTests : IDisposable
{
    private static readonly Dictionary<string, string> Embedded = [];
    private readonly TemporaryFolder _folder = new();

    [UnixFact]
    public async Task ThreeWorkers_OneKilledAndOneFrozenForAWhile_WriteWhatOneProcessWrites()
    {
        await SampleRun.IntoAsync(_folder.File("alone"), SampleRun.Captions(120));
        using WorkerProcess coordinator = new(Embedded, "serve", _folder.File("together"), "120", "3000");
        string where = await coordinator.LineAsync();
        using WorkerProcess killed = new(Embedded, "work", where, "100", "3000");
        using WorkerProcess frozen = new(Embedded, "work", where, "100", "3000");
        using WorkerProcess whole = new(Embedded, "work", where, "100", "3000");
        WorkerProcess[] workers = [killed, frozen, whole];
        foreach (WorkerProcess worker in workers)
        {
            Assert.Equal("joined", await worker.LineAsync());
        }
        // All at once: one that joins last must not find the work done, and the frozen one wakes while there is some.
        Array.ForEach(workers, w => w.Begin());
        await WorkerProcess.DrawnAsync(_folder.File("together"), 30);

        killed.Kill();
        frozen.Signal("STOP");
        await Task.Delay(TimeSpan.FromSeconds(4));
        frozen.Signal("CONT");
        string done = await coordinator.LineAsync();

        Assert.StartsWith("ClusterProgress { Captions = 120, Failed = 0, Leased = 0, ", done, StringComparison.Ordinal);
        Assert.DoesNotContain("Returned = 0,", done, StringComparison.Ordinal);
        Assert.StartsWith("RunProgress", await whole.LineAsync(), StringComparison.Ordinal);
        Assert.StartsWith("RunProgress", await frozen.LineAsync(), StringComparison.Ordinal);
        Assert.All(await Task.WhenAll(coordinator.EndAsync(), whole.EndAsync(), frozen.EndAsync()), code => Assert.Equal(0, code));
        Assert.Equal(RunRows.Of(_folder.File("alone")), RunRows.Of(_folder.File("together")));
    }

    [Trait("Category", "Long")]
    [UnixFact]
    public async Task AWorkerThatJoins_WhileOneIsDeadAndOneIsFrozen_ComesInWithinItsPatience()
    {
        using WorkerProcess coordinator = new(Embedded, "serve", _folder.File("together"), "40", "3000");
        string where = await coordinator.LineAsync();
        Dictionary<string, string> patient = new() { ["DSD_TEST_PATIENCE"] = "55" };
        using WorkerProcess killed = new(patient, "work", where, "100", "3000");
        using WorkerProcess frozen = new(patient, "work", where, "100", "3000");
        Assert.Equal(["joined", "joined"], await Task.WhenAll(killed.LineAsync(), frozen.LineAsync()));
        killed.Kill();
        frozen.Signal("STOP");

        using WorkerProcess next = new(patient, "work", where, "0", "3000");
        next.Begin();

        Assert.Equal("joined", await next.LineAsync());
        Assert.All(await Task.WhenAll(coordinator.EndAsync(), next.EndAsync()), code => Assert.Equal(0, code));
    }

    [RedisFact]
    public async Task AWorker_FindsItsCoordinatorThroughRedis()
    {
        await SampleRun.IntoAsync(_folder.File("alone"), SampleRun.Captions(10));
        int port = FreePort();
        using Process redis = Process.Start(new ProcessStartInfo(
            "redis-server",
            ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", _folder.Path])
        { RedirectStandardOutput = true })!;
        try
        {
            Dictionary<string, string> through = new() { ["DSD_TEST_REDIS"] = $"127.0.0.1:{port},connectRetry=10" };
            using WorkerProcess coordinator = new(through, "serve", _folder.File("together"), "10", "3000");
            await coordinator.LineAsync();
            // One: a second could come when all is done, and would rightly find nobody.
            using WorkerProcess worker = new(through, "work", "-", "20", "3000");
            worker.Begin();

            Assert.All(await Task.WhenAll(coordinator.EndAsync(), worker.EndAsync()), code => Assert.Equal(0, code));
        }
        finally
        {
            redis.Kill();
            redis.WaitForExit();
        }
        Assert.Equal(RunRows.Of(_folder.File("alone")), RunRows.Of(_folder.File("together")));
    }

    public void Dispose() => _folder.Dispose();

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
