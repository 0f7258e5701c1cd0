using System.IO.Compression;
using Dsd.Curation.Axes;
using Dsd.Curation.Judging;
using Dsd.Runs.Ledger;
using Microsoft.Data.Sqlite;

namespace Dsd.Runs.Tests.Ledger;

/// <summary>Ledgers of version 1, of which one is kept: <c>tests/fixtures/ledger-1</c>.</summary>
public sealed class OldLedgerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AnOldLedger_IsRead_AndStaysAsItIs()
    {
        string file = Old("old.db");
        byte[] before = File.ReadAllBytes(file);
        await using (RunLedger ledger = RunLedger.OpenToRead(file))
        {
            Assert.Equal((3, 3, 3), (ledger.Counts().Captions, ledger.Counts().Grids, ledger.Counts().Pairs));
            LedgerPair pair = ledger.PairOf(ledger.Pairs().First().Id);
            Assert.NotNull(pair.Judgement.Verdict);
            Assert.Null(pair.Axes);
            Assert.Empty(ledger.Scores());
            Assert.Null(ledger.ScoreOf("i", "m", 0, "j"));
            Assert.Equal(3, ledger.Usage().Sum(u => u.Votes));
            Assert.Equal(0, ledger.Faults().Count);
        }

        Assert.Equal(before, File.ReadAllBytes(file));
        Assert.Equal("1", Value(file, "SELECT value FROM meta WHERE name = 'version'"));
    }

    [Fact]
    public async Task AnOldLedger_IsBroughtUpToDate_WhenItIsOpenedToWrite_AndKeepsEveryRow()
    {
        string file = Old("old.db");
        string[] before = [.. Rows(file)];
        await using (RunLedger ledger = RunLedger.Open(file))
        {
            string pair = ledger.Pairs().First().Id;
            await ledger.WriteAxesAsync(pair, Axes(3));
            await ledger.WriteScoreAsync(Score(2));
            Assert.Equal(3, ledger.PairOf(pair).Axes!.Axes!.ObjectConsistency);
            Assert.Equal(2, Assert.Single(ledger.Scores()).Score);
        }

        Assert.Equal("2", Value(file, "SELECT value FROM meta WHERE name = 'version'"));
        Assert.Equal(before.Select(r => r == "meta: version | 1" ? "meta: version | 2" : r), Rows(file));
        await using RunLedger again = RunLedger.OpenStanding(file);
        Assert.Equal(0, again.Faults().Count);
        Assert.Equal(4, again.Usage().Sum(u => u.Votes));
    }

    [Fact]
    public async Task AReaderFromBeforeTheUpgrade_SeesWhatIsWrittenAfterIt()
    {
        string file = Old("old.db");
        await using RunLedger reader = RunLedger.OpenToRead(file);
        string pair = reader.Pairs().First().Id;
        Assert.Null(reader.AxesOf(pair));
        await using (RunLedger writer = RunLedger.OpenStanding(file))
        {
            await writer.WriteAxesAsync(pair, Axes(1));
        }

        Assert.Equal(1, reader.AxesOf(pair)!.Axes!.ObjectConsistency);
    }

    [Fact]
    public async Task Merge_TakesOldAndNewLedgers_InAnyOrder()
    {
        string newer = Old("newer.db");
        await using (RunLedger ledger = RunLedger.Open(newer))
        {
            await ledger.WriteAxesAsync(ledger.Pairs().First().Id, Axes(2));
            await ledger.WriteScoreAsync(Score(4));
        }
        string[] merged = [];
        foreach (string[] order in new[] { new[] { "old.db", "newer.db" }, ["newer.db", "old.db"] })
        {
            Old("old.db");
            string into = _folder.File($"into-{order[0]}");
            await using (RunLedger ledger = RunLedger.Open(into))
            {
                foreach (string other in order.Concat(order))
                {
                    Assert.Equal(0, (await ledger.MergeAsync(_folder.File(other))).Count);
                }
                Assert.Equal(2, ledger.PairOf(ledger.Pairs().First().Id).Axes!.Axes!.ObjectConsistency);
                Assert.Equal(4, Assert.Single(ledger.Scores()).Score);
            }
            string[] rows = [.. Dsd.Testing.Runs.RunRows.Rows(into)];
            Assert.True(merged.Length == 0 || merged.SequenceEqual(rows));
            merged = rows;
        }
    }

    [Fact]
    public async Task Axes_AreWrittenOnce_UnlessNoAnswerCouldBeRead()
    {
        await using RunLedger ledger = RunLedger.Open(Old("old.db"));
        string pair = ledger.Pairs().First().Id;
        await ledger.WriteAxesAsync(pair, Axes(null));
        Assert.Null(ledger.AxesOf(pair)!.Axes);
        await ledger.WriteAxesAsync(pair, Axes(3));
        await ledger.WriteAxesAsync(pair, Axes(1));

        AxesVote vote = ledger.AxesOf(pair)!;
        Assert.Equal(3, vote.Axes!.ObjectConsistency);
        // What the first two took is paid for: both count.
        Assert.Equal((2, 14L), (vote.Attempts, vote.InputTokens));
    }

    [Theory]
    [InlineData("UPDATE axes SET axes = '{}'", "axes", "scores by axes")]
    [InlineData("UPDATE scores SET score = 'good'", "scores", "whole number")]
    public async Task ARowThatCannotBeRead_IsToldByTableAndField(string damage, string table, string expected)
    {
        string file = Old("old.db");
        string pair;
        await using (RunLedger ledger = RunLedger.Open(file))
        {
            pair = ledger.Pairs().First().Id;
            await ledger.WriteAxesAsync(pair, Axes(3));
            await ledger.WriteScoreAsync(Score(1));
        }
        Value(file, damage);

        await using RunLedger damaged = RunLedger.Open(file);
        LedgerException fault = Assert.Throws<LedgerException>(() => table == "axes" ? (object?)damaged.AxesOf(pair) : damaged.ScoreOf("i", "m", 0, "j"));
        Assert.True(fault.ConcernsOneRow);
        Assert.Contains($"table '{table}'", fault.Message, StringComparison.Ordinal);
        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
        Assert.Equal(1, damaged.Faults().Count);
        Assert.Equal(table == "axes", damaged.ReadablePairOf(pair) is null);

        await using RunLedger into = RunLedger.Open(_folder.File("into.db"));
        Assert.Equal(1, (await into.MergeAsync(file)).Count);
        Assert.Equal((table == "axes" ? 0 : 1, table == "axes" ? 1 : 0), (into.Pairs().Count(p => into.AxesOf(p.Id) is not null), into.Scores().Count));
    }

    private static AxesVote Axes(int? consistency) => new()
    {
        Judge = "j",
        Model = "m",
        Attempts = 1,
        InputTokens = 7,
        Reason = consistency is null ? "no JSON" : "",
        Axes = consistency is null ? null : Pairs.Axes(consistency.Value),
    };

    private static JudgedScore Score(int score) => new() { Item = "i", Metric = "m", Repeat = 0, Judge = "j", Question = "q", Reason = "r", Score = score };

    private string Old(string name)
    {
        string file = _folder.File(name);
        string kept = Path.Combine(Fixtures.Repository, "tests", "fixtures", "ledger-1", "ledger.db.gz");
        using GZipStream packed = new(File.OpenRead(kept), CompressionMode.Decompress);
        using FileStream target = File.Create(file);
        packed.CopyTo(target);
        return file;
    }

    private static IEnumerable<string> Rows(string file)
    {
        using SqliteConnection connection = Open(file);
        foreach (LedgerTable table in LedgerTable.All.Where(t => t.Since == 1))
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = $"SELECT * FROM {table.Name} ORDER BY 1, 2";
            using SqliteDataReader rows = command.ExecuteReader();
            while (rows.Read())
            {
                yield return $"{table.Name}: {string.Join(" | ", Enumerable.Range(0, rows.FieldCount).Select(i => rows.GetValue(i)))}";
            }
        }
    }

    private static object? Value(string file, string sql)
    {
        using SqliteConnection connection = Open(file);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private static SqliteConnection Open(string file)
    {
        SqliteConnection connection = new($"Data Source={file};Pooling=False");
        connection.Open();
        return connection;
    }
}
