namespace Dsd.Cluster.Tests;

/// <summary>A coordinator in a process of its own that is killed. Such a test waits more than it computes: a class of its own runs beside the others.</summary>
public sealed class KilledCoordinatorTests : IDisposable
{
    private static readonly Dictionary<string, string> Embedded = [];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [UnixFact]
    public async Task ACoordinatorThatIsKilled_GoesOnWhereItWas_AndItsWorkersEndWithAReason()
    {
        await SampleRun.IntoAsync(_folder.File("alone"), SampleRun.Captions(40));
        using (WorkerProcess killed = new(Embedded, "serve", _folder.File("together"), "40", "3000"))
        {
            using WorkerProcess worker = new(new Dictionary<string, string> { ["DSD_TEST_PATIENCE"] = "10" }, "work", await killed.LineAsync(), "40", "3000");
            worker.Begin();
            Assert.Equal("joined", await worker.LineAsync());
            await WorkerProcess.DrawnAsync(_folder.File("together"), 10);
            killed.Kill();
            Assert.Contains("has not answered", await worker.LineAsync(), StringComparison.Ordinal);
            Assert.Equal(1, await worker.EndAsync());
        }

        using WorkerProcess coordinator = new(Embedded, "serve", _folder.File("together"), "40", "3000");
        using WorkerProcess next = new(Embedded, "work", await coordinator.LineAsync(), "0", "3000");
        next.Begin();
        Assert.All(await Task.WhenAll(coordinator.EndAsync(), next.EndAsync()), code => Assert.Equal(0, code));

        Assert.Equal(RunRows.Rows(_folder.File("alone", "ledger.db")), RunRows.Rows(_folder.File("together", "ledger.db")));
    }
}
