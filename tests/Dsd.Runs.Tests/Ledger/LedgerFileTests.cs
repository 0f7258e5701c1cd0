using Dsd.Runs.Ledger;
using Dsd.Testing.Runs;
using Microsoft.Data.Sqlite;

namespace Dsd.Runs.Tests.Ledger;

/// <summary>Which files are ledgers: other programs' databases are refused and stay as they are.</summary>
public sealed class LedgerFileTests : IDisposable
{
    private const long Stamp = 0x4473644C;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("CREATE TABLE notes (text TEXT)", "database")]
    [InlineData("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT)", "no version")]
    [InlineData("CREATE TABLE meta (name TEXT, value TEXT); INSERT INTO meta VALUES ('version', '1')", "'captions'")]
    [InlineData("CREATE TABLE meta (key TEXT, value TEXT); INSERT INTO meta VALUES ('version', '1')", "'meta'")]
    [InlineData("PRAGMA application_id = 252006674; CREATE TABLE geo (a)", "252006674")]
    [InlineData("PRAGMA journal_mode = WAL; CREATE TABLE notes (text TEXT)", "database")]
    public async Task AForeignDatabase_IsRefused_AndStaysAsItIs(string sql, string named)
    {
        string file = _folder.File("run/ledger.db");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        Execute(file, sql);
        byte[] before = File.ReadAllBytes(file);

        Assert.Contains(named, Assert.Throws<LedgerException>(() => RunLedger.Open(file)).Message, StringComparison.Ordinal);
        Assert.Contains(file, Assert.Throws<LedgerException>(() => RunLedger.OpenToRead(file)).Message, StringComparison.Ordinal);
        Assert.Throws<LedgerException>(() => RunFolder.Open(_folder.File("run")));
        await using (RunLedger into = RunLedger.Open(_folder.File("into.db")))
        {
            await Assert.ThrowsAsync<LedgerException>(() => into.MergeAsync(file));
        }

        Assert.Equal(before, File.ReadAllBytes(file));
    }

    [Fact]
    public async Task ALedgerFromBeforeTheStamp_IsUsed_AndStampedWhenItIsWritten()
    {
        await SampleRun.IntoAsync(_folder.File("run"), SampleRun.Captions(1));
        string file = RunFolder.LedgerFile(_folder.File("run"));
        Assert.Equal(Stamp, Value(file, "PRAGMA application_id"));
        Execute(file, "PRAGMA application_id = 0");
        IReadOnlyList<string> rows = RunRows.Rows(file);

        await using (RunLedger ledger = RunLedger.OpenToRead(file))
        {
            Assert.Equal(12, ledger.Counts().Pairs);
        }
        Assert.Equal(0L, Value(file, "PRAGMA application_id"));
        await using (RunLedger.Open(file))
        {
        }

        Assert.Equal(Stamp, Value(file, "PRAGMA application_id"));
        Assert.Equal(rows, RunRows.Rows(file));
    }

    [Fact]
    public async Task ALedgerOfANewerVersion_IsRefusedByItsVersion()
    {
        string file = _folder.File("ledger.db");
        await RunLedger.Open(file).DisposeAsync();
        Execute(file, "UPDATE meta SET value = '3' WHERE name = 'version'; DROP TABLE votes");

        Assert.Contains("version 3", Assert.Throws<LedgerException>(() => RunLedger.Open(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnEmptyFile_BecomesALedger_AndIsNoneToRead()
    {
        string file = _folder.File("ledger.db");
        File.WriteAllBytes(file, []);

        Assert.Throws<LedgerException>(() => RunLedger.OpenToRead(file));
        Assert.Throws<LedgerException>(() => RunLedger.OpenStanding(file));
        await RunLedger.Open(file).DisposeAsync();

        await RunLedger.OpenToRead(file).DisposeAsync();
    }

    [Fact]
    public void Tables_StayAsOtherProgramsKnowThem()
    {
        // Columns and their order are what others query by: a change is one of the version.
        Assert.Equal(
            [
                "meta: name, value", "captions: key, caption, written", "prompts: id, caption_key, ordinal, text, subject, layout, captions, seed",
                "grids: prompt_id, file, width, height, sha256, drawer", "panels: prompt_id, panel, caption",
                "pairs: id, prompt_id, first, second, status, kept, confidence, reason",
                "votes: pair_id, ordinal, judge, model, kept, verdict, reason, attempts, input_tokens, output_tokens, seconds", "failures: id, stage, message",
                "reviews: pair_id, kept, at",
                "spent: id, calls, tokens",
                "axes: pair_id, judge, model, axes, reason, attempts, input_tokens, output_tokens, seconds",
                "scores: metric, item, repeat, judge, question, score, reason, model, attempts, input_tokens, output_tokens, seconds",
            ],
            LedgerTable.All.Select(t => $"{t.Name}: {t.Columns}"));
    }

    private static object? Value(string file, string sql)
    {
        using SqliteConnection connection = new($"Data Source={file};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private static void Execute(string file, string sql) => Value(file, sql);
}
