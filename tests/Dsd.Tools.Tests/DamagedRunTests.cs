using System.Text.Json;
using Dsd.CommandLine;
using Dsd.Runs;
using Dsd.Testing;
using Microsoft.Data.Sqlite;

namespace Dsd.Tools.Tests;

/// <summary>Commands on a run whose folder or ledger somebody has changed.</summary>
public sealed class DamagedRunTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task OneBadRow_IsToldByEveryCommand_AndStopsNone()
    {
        Assert.Equal(ExitCode.Done, (await Curate("--count", "3")).ExitCode);
        Execute("UPDATE pairs SET kept = 1; UPDATE pairs SET status = 'Perhaps' WHERE id = (SELECT min(id) FROM pairs)");
        string run = _folder.File("run");

        JsonElement status = await Cli.Json("curate", "status", run);
        Assert.Equal(1, status.GetProperty("unreadable").GetProperty("count").GetInt32());
        foreach (string[] command in (string[][])
        [
            ["curate", "status", run],
            ["curate", "merge", "--out", _folder.File("merged"), run],
            ["dataset", "write", run, "--out", _folder.File("dataset")],
            ["review", run, "--out", _folder.File("page")],
            ["review", run, "--report", _folder.File("report")],
        ])
        {
            CliResult result = await Cli.Run(command);
            Assert.True(result.ExitCode == ExitCode.Done, $"{string.Join(' ', command)}: {result.Error}");
            Assert.Contains("table 'pairs'", result.Error, StringComparison.Ordinal);
            Assert.Contains("field 'status'", result.Error, StringComparison.Ordinal);
        }
        CliResult again = await Curate("--count", "4");
        Assert.True(again.ExitCode == ExitCode.Done, again.Error);
        Assert.Contains("1 pairs judged", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AForeignDatabase_IsRefused_AndStaysAsItIs()
    {
        Directory.CreateDirectory(_folder.File("run"));
        Execute("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')");
        byte[] before = File.ReadAllBytes(RunFolder.LedgerFile(_folder.File("run")));

        (await Curate("--count", "1")).AssertFails(ExitCode.Failed, "ledger.db", "another program's database");
        (await Cli.Run("curate", "status", _folder.File("run"))).AssertFails(ExitCode.Failed, "ledger.db");
        (await Cli.Run("curate", "merge", "--out", _folder.File("merged"), _folder.File("run"))).AssertFails(ExitCode.Failed, "ledger.db");

        Assert.Equal(before, File.ReadAllBytes(RunFolder.LedgerFile(_folder.File("run"))));
        Assert.False(Directory.Exists(_folder.File("merged")));
    }

    [Fact]
    public async Task AFolderThatIsDeletedDuringARun_EndsItWithCode1()
    {
        if (OperatingSystem.IsWindows())
        {
            // Files that are open are not given away there.
            return;
        }
        Task<CliResult> run = Task.Run(() => Curate("--count", "500"));
        while (!run.IsCompleted && !(Directory.Exists(_folder.File("run", "grids"))
            && Directory.EnumerateFiles(_folder.File("run", "grids"), "*.png", SearchOption.AllDirectories).Any()))
        {
            await Task.Delay(20);
        }
        // Until it is gone: the run may write a grid while it is deleted.
        for (int i = 0; i < 100 && Directory.Exists(_folder.File("run")); i++)
        {
            try
            {
                Directory.Delete(_folder.File("run"), recursive: true);
            }
            catch (IOException)
            {
                await Task.Delay(20);
            }
        }

        CliResult ended = await run;

        Assert.Equal(ExitCode.Failed, ended.ExitCode);
        Assert.Contains("was deleted, moved or replaced", ended.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("run")));
    }

    [Fact]
    public async Task ALostGrid_IsDrawnAnewByTheNextRun()
    {
        await Curate("--count", "2");
        string grid = Directory.GetFiles(_folder.File("run", "grids"), "*.png", SearchOption.AllDirectories)[0];
        File.WriteAllBytes(grid, File.ReadAllBytes(grid)[..100]);

        CliResult again = await Curate("--count", "2");

        Assert.True(again.ExitCode == ExitCode.Done, again.Error);
        Assert.Contains("1 grids drawn, 0 pairs judged", again.Error, StringComparison.Ordinal);
    }

    private Task<CliResult> Curate(params string[] more) =>
        Cli.Run(["curate", "run", "--captions", "tiny", "--out", _folder.File("run"), "--steps", "1", .. more]);

    private void Execute(string sql)
    {
        using SqliteConnection connection = new($"Data Source={RunFolder.LedgerFile(_folder.File("run"))};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
