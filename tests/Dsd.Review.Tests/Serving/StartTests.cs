using Dsd.Review.Serving;
using Dsd.Runs;
using Dsd.Runs.Ledger;

namespace Dsd.Review.Tests.Serving;

/// <summary>What a server needs to start.</summary>
public sealed class StartTests : ReviewServerTest
{
    [Fact]
    public async Task Start_InAFolderWithoutALedger_SaysSoAndMakesNone()
    {
        string folder = Path.Combine(Run.Folder, "empty");
        Directory.CreateDirectory(folder);
        await Assert.ThrowsAsync<FileNotFoundException>(() => ReviewServer.StartAsync(folder));

        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    [Fact]
    public async Task Start_OnAPortThatIsTaken_NamesIt()
    {
        int port = Server.Address.Port;
        IOException fault = await Assert.ThrowsAsync<IOException>(() => ReviewServer.StartAsync(Run.Folder, new ReviewOptions { Port = port }));

        Assert.Contains($"Port {port}", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_OfARunThatWasNeverBegun_SaysWhatIsMissing()
    {
        string folder = Path.Combine(Run.Folder, "new");
        await using (RunFolder.Open(folder))
        {
        }

        LedgerException fault = await Assert.ThrowsAsync<LedgerException>(() => ReviewServer.StartAsync(folder));
        Assert.Contains("cutting", fault.Message, StringComparison.Ordinal);
    }
}
