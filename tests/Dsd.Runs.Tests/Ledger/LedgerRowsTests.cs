using Dsd.Curation.Grids;
using Dsd.Dataset.Formats;
using Dsd.Runs.Export;
using Dsd.Runs.Ledger;
using Dsd.Testing.Runs;
using Microsoft.Data.Sqlite;

namespace Dsd.Runs.Tests.Ledger;

/// <summary>Rows that were changed by others: each is named by ledger, table, row and field, and hides no other.</summary>
public sealed class LedgerRowsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("captions", "caption", "x'00'", "c0001")]
    [InlineData("captions", "caption", "''", "c0001")]
    [InlineData("captions", "written", "7", "c0001")]
    [InlineData("prompts", "layout", "'9x9'", "c0001~0")]
    [InlineData("prompts", "captions", "'[1, 2]'", "c0001~0")]
    [InlineData("prompts", "captions", "'[null]'", "c0001~0")]
    [InlineData("prompts", "captions", "'[\"a\"'", "c0001~0")]
    [InlineData("prompts", "ordinal", "99999999999", "c0001~0")]
    [InlineData("prompts", "seed", "1.5", "c0001~0")]
    [InlineData("prompts", "text", "CAST(x'ff41' AS TEXT)", "c0001~0")]
    [InlineData("grids", "width", "'wide'", "c0001~0")]
    [InlineData("grids", "height", "0", "c0001~0")]
    [InlineData("pairs", "status", "'Perhaps'", "c0001~0~0-1")]
    [InlineData("pairs", "status", "'0'", "c0001~0~0-1")]
    [InlineData("pairs", "status", "'Decided,Undecided'", "c0001~0~0-1")]
    [InlineData("pairs", "kept", "2", "c0001~0~0-1")]
    [InlineData("pairs", "kept", "'yes'", "c0001~0~0-1")]
    [InlineData("pairs", "second", "4294967297", "c0001~0~0-1")]
    [InlineData("pairs", "second", "0", "c0001~0~0-1")]
    [InlineData("pairs", "confidence", "9e999", "c0001~0~0-1")]
    [InlineData("pairs", "confidence", "'sure'", "c0001~0~0-1")]
    [InlineData("pairs", "reason", "x'0102'", "c0001~0~0-1")]
    [InlineData("votes", "verdict", "'{\"subject\"'", "c0001~0~0-1, 0")]
    [InlineData("votes", "verdict", "'null'", "c0001~0~0-1, 0")]
    [InlineData("votes", "input_tokens", "-1", "c0001~0~0-1, 0")]
    [InlineData("votes", "output_tokens", "9223372036854775807", "c0001~0~0-1, 0")]
    [InlineData("votes", "seconds", "1e300", "c0001~0~0-1, 0")]
    [InlineData("votes", "attempts", "'many'", "c0001~0~0-1, 0")]
    [InlineData("reviews", "kept", "'maybe'", "c0001~0~0-1")]
    public async Task ACellThatIsNone_IsNamed_AndHidesNoOther(string table, string field, string value, string row)
    {
        string run = await RunAsync();
        string key = row.Split(", ")[0];
        Execute(
            run,
            $"UPDATE {table} SET {field} = {value} WHERE "
            + $"{(table is "grids" ? "prompt_id" : table is "votes" or "reviews" ? "pair_id" : table is "captions" ? "key" : "id")} = '{key}'");

        await using RunLedger ledger = RunLedger.OpenToRead(RunFolder.LedgerFile(run));
        LedgerFaults faults = ledger.Faults();

        Assert.Equal(1, faults.Count);
        Assert.StartsWith($"Ledger '{ledger.File}', table '{table}', row '{row}', field '{field}': expected ", faults.First[0], StringComparison.Ordinal);
        Assert.DoesNotContain("System.", faults.First[0], StringComparison.Ordinal);
        // What a review and a report ask is answered for all others.
        _ = (ledger.Counts(), ledger.Usage(), ledger.Outcomes(), ledger.Agreement(), ledger.Flags(), ledger.Failures());
        Assert.NotEmpty(ledger.PairIds(new PairFilter { Text = "clay" }));
        _ = ledger.PairIds(new PairFilter { Flag = "text" });
        int unreadable = 0;
        Assert.True(ledger.Pairs(unreadable: _ => unreadable++).Count() + unreadable == 24);
        ExportedRun exported = RunExport.Write(run, _folder.File("out"), new DatasetWriteOptions { IncludeRejected = true });
        Assert.InRange(exported.Dataset.Rows, 36, 48);
        Assert.Equal(table is "captions" ? 0 : 1, exported.Unreadable.Count);
    }

    [Fact]
    public async Task ANullThatNoLedgerOfOursHolds_IsNamed()
    {
        string run = await RunAsync();
        // As a copy made by another program may have it: the same columns without their constraints.
        Execute(
            run,
            "CREATE TABLE copy AS SELECT * FROM pairs; DROP TABLE pairs; ALTER TABLE copy RENAME TO pairs; "
            + "UPDATE pairs SET kept = NULL WHERE id = 'c0001~0~0-1'; UPDATE pairs SET id = x'01' WHERE id = 'c0001~0~0-2'");

        await using RunLedger ledger = RunLedger.OpenToRead(RunFolder.LedgerFile(run));

        Assert.Equal(2, ledger.Faults().Count);
        Assert.Contains(ledger.Faults().First, f => f.Contains("row 'c0001~0~0-1', field 'kept': expected 0 or 1, found nothing", StringComparison.Ordinal));
        Assert.Contains(ledger.Faults().First, f => f.Contains("row '01', field 'id'", StringComparison.Ordinal));
        Assert.Equal(("pairs", "c0001~0~0-1", "kept"), Named(Assert.Throws<LedgerException>(() => ledger.PairOf("c0001~0~0-1"))));
        Assert.Equal(2, RunExport.Write(run, _folder.File("out"), new DatasetWriteOptions { IncludeRejected = true }).Unreadable.Count);
    }

    [Fact]
    public async Task ARunWithABadRow_DoesAllElse()
    {
        string run = await RunAsync();
        Execute(run, "UPDATE pairs SET second = 'x' WHERE id = 'c0001~0~0-1'");

        RunProgress more = await SampleRun.IntoAsync(run, SampleRun.Captions(5), Options);

        Assert.Equal((5, 6, 1), (more.Captions, more.Judged, more.Failed));
    }

    [Fact]
    public async Task ABudgetWithASessionThatCannotBeRead_IsNotKept()
    {
        string run = await RunAsync();
        Execute(run, "INSERT INTO spent VALUES ('s', 'much', 0)");
        await using RunFolder folder = RunFolder.Open(run);

        LedgerException refused = await Assert.ThrowsAsync<LedgerException>(() => folder.SpendAsync("t", 1, 1));

        Assert.Equal(("spent", "s", "calls"), Named(refused));
    }

    [Theory]
    [InlineData("UPDATE pairs SET status = 'Perhaps' WHERE id = 'c0001~0~0-1'", 23)]
    [InlineData("UPDATE votes SET verdict = 'x' WHERE pair_id = 'c0001~0~0-1'", 23)]
    [InlineData("UPDATE prompts SET layout = 'x' WHERE id = 'c0001~0'", 18)]
    [InlineData("UPDATE captions SET written = 5 WHERE key = 'c0001'", 18)]
    [InlineData("UPDATE grids SET width = -1 WHERE prompt_id = 'c0001~0'", 24)]
    [InlineData("INSERT INTO failures VALUES ('x', x'00', 'm')", 24)]
    public async Task Merge_LeavesBadRowsOut_AndTheRunDoesThemAnew(string change, long pairs)
    {
        string whole = await RunAsync();
        string bad = await RunAsync();
        IReadOnlyList<string> rows = RunRows.Rows(RunFolder.LedgerFile(whole));
        Execute(bad, change);
        string into = _folder.File("into");
        await using (RunFolder folder = RunFolder.Open(into))
        {
            LedgerFaults faults = await folder.MergeAsync(bad);

            Assert.Equal((1, 1), (faults.Count, faults.First.Count));
            Assert.Equal(pairs, folder.Ledger.Counts().Pairs);
            Assert.Equal(0, folder.Ledger.Faults().Count);
        }
        await SampleRun.IntoAsync(into, SampleRun.Captions(4), Options);

        // A person's verdict on a pair that was left out is the only thing that no run makes.
        Assert.Equal(
            rows.Where(r => !r.StartsWith("reviews", StringComparison.Ordinal)),
            RunRows.Rows(RunFolder.LedgerFile(into)).Where(r => !r.StartsWith("reviews", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task APairWhoseRowWasDeleted_IsJudgedAnew()
    {
        string run = await RunAsync();
        IReadOnlyList<string> rows = RunRows.Rows(RunFolder.LedgerFile(run));
        Execute(run, "DELETE FROM pairs WHERE id = 'c0001~0~0-1'");

        await SampleRun.IntoAsync(run, SampleRun.Captions(4), Options);

        Assert.Equal(rows, RunRows.Rows(RunFolder.LedgerFile(run)));
    }

    [Fact]
    public async Task Texts_OfAnyKind_ComeBackAsTheyWere()
    {
        string[] texts = ["", "a\0b", "naïve 🦊", "line\nline"];
        await using RunLedger ledger = RunLedger.Open(_folder.File("texts.db"));
        await ledger.WritePromptsAsync(
            new SeedCaption("k", "c"), [new LedgerPrompt("k~0", "k", 0, new GridPrompt(texts[1], GridLayout.TwoByTwo, texts[0], texts), 7)]);

        LedgerPrompt read = ledger.PromptOf("k~0");

        Assert.Equal((texts[1], texts[0]), (read.Prompt.Text, read.Prompt.Subject));
        Assert.Equal(texts, read.Prompt.Captions);
        Assert.Equal(0, ledger.Faults().Count);
    }

    private static RunOptions Options { get; } = SampleRun.Options with { PromptsPerCaption = 1 };

    private static (string?, string?, string?) Named(LedgerException e) => (e.Table, e.Row, e.Field);

    /// <summary>Four captions of a grid and six pairs each, one of them reviewed.</summary>
    private async Task<string> RunAsync()
    {
        string run = _folder.File($"run{Guid.NewGuid():N}");
        await SampleRun.IntoAsync(run, SampleRun.Captions(4), Options);
        await using RunLedger ledger = RunLedger.OpenStanding(RunFolder.LedgerFile(run));
        await ledger.WriteReviewAsync("c0001~0~0-1", true, DateTimeOffset.UnixEpoch);
        return run;
    }

    private static void Execute(string run, string sql)
    {
        using SqliteConnection connection = new($"Data Source={RunFolder.LedgerFile(run)};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
