using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dsd.CommandLine;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Dsd.Testing;

namespace Dsd.Tools.Tests;

public sealed class CurateClusterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ServeAndWork_CurateWhatARunDoes()
    {
        string port = FreePort().ToString(CultureInfo.InvariantCulture);
        await Cli.Run("curate", "run", "--captions", "tiny", "--count", "2", "--steps", "1", "--batch", "1", "--out", _folder.File("alone"));

        Task<CliResult> serve = Cli.Run("curate", "serve", "--captions", "tiny", "--count", "2", "--port", port, "--out", _folder.File("served"));
        Task<CliResult> working = Cli.Run("curate", "work", "--connect", $"localhost:{port}", "--steps", "1", "--batch", "1");
        CliResult first = await (await Task.WhenAny(serve, working)).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(first.ExitCode == ExitCode.Done, first.Error);
        CliResult work = await working;

        Assert.True(work.ExitCode == ExitCode.Done, work.Error);
        Assert.Contains("2 grids drawn, 2 pairs judged", work.Error, StringComparison.Ordinal);
        CliResult served = await serve;
        Assert.True(served.ExitCode == ExitCode.Done, served.Error);
        Assert.Contains("2 captions through", served.Error, StringComparison.Ordinal);
        Assert.Equal(await Grids("alone"), await Grids("served"));
        Assert.Equal(2, (await Grids("served")).Length);
    }

    [Fact]
    public async Task WhatMakesNoSense_IsRefusedBeforeAFolderIsMade()
    {
        (await Cli.Run("curate", "work")).AssertFails(ExitCode.WrongUse, "'--connect'", "'--redis'");
        (await Cli.Run("curate", "work", "--connect", "a:1", "--sql", "X")).AssertFails(ExitCode.WrongUse, "'--connect'");
        (await Cli.Run("curate", "work", "--connect", "host")).AssertFails(ExitCode.WrongUse, "'--connect'", "'host'");
        (await Serve("--redis", "A", "--sql", "B")).AssertFails(ExitCode.WrongUse, "exclude");
        (await Serve("--sql-driver", "Npgsql")).AssertFails(ExitCode.WrongUse, "'--sql'");
        (await Serve("--address", "nowhere")).AssertFails(ExitCode.WrongUse, "'--address'", "nowhere");
        (await Serve("--lease", "0")).AssertFails(ExitCode.WrongUse, "'--lease'");
        (await Serve("--redis", "DSD_TEST_NOT_SET")).AssertFails(ExitCode.Failed, "DSD_TEST_NOT_SET");
        Assert.False(Directory.Exists(_folder.File("run")));
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private Task<CliResult> Serve(params string[] more) => Cli.Run(["curate", "serve", "--captions", "tiny", "--out", _folder.File("run"), .. more]);

    private async Task<LedgerGrid?[]> Grids(string run)
    {
        await using RunLedger ledger = RunLedger.OpenToRead(RunFolder.LedgerFile(_folder.File(run)));
        return [.. ledger.Pairs().Select(p => ledger.GridOf(p.PromptId))];
    }
}
