using CsCheck;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Runs.Ledger;
using Dsd.Testing.Runs;
using Microsoft.Data.Sqlite;

namespace Dsd.Runs.Tests.Ledger;

public sealed class MergeTests : IDisposable
{
    private static readonly SeedCaption Fox = new("fox", "a clay fox");
    private static readonly LedgerPrompt Prompt = new("fox~0", "fox", 0, new GridPrompt("two foxes", GridLayout.OneByTwo, "a fox", ["left", "right"]), 7);
    private readonly TemporaryFolder _folder = new();
    private int _next;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Merge_OfAnyLedgersInAnyOrder_GivesTheSame() =>
        // Each of three ledgers has come a random way with each of five pieces of work; merging is a join: any order, any grouping, any repeats.
        await Gen.Int[0, 4].Array[15].SampleAsync(
            async ways =>
            {
                string[] ledgers = [.. await Task.WhenAll(ways.Chunk(5).Select(LedgerAsync))];
                string abc = await MergedAsync(ledgers[0], ledgers[1], ledgers[2]);
                IReadOnlyList<string> rows = RunRows.Rows(abc);

                Assert.Equal(rows, RunRows.Rows(await MergedAsync(ledgers[2], ledgers[0], ledgers[1], ledgers[0], ledgers[2])));
                Assert.Equal(rows, RunRows.Rows(await MergedAsync(ledgers[0], await MergedAsync(ledgers[2], ledgers[1]))));
                Assert.Equal(rows, RunRows.Rows(await MergedAsync(abc, abc)));
            },
            iter: 15,
            threads: 1);

    [Fact]
    public async Task Merge_OfTheSameLedgerTwice_ChangesNothing()
    {
        string from = await LedgerAsync([4, 3, 2, 1, 0]);
        string into = await MergedAsync(from);
        IReadOnlyList<string> once = RunRows.Rows(into);

        await using (RunLedger ledger = RunLedger.Open(into))
        {
            await ledger.MergeAsync(from);
        }

        Assert.Equal(RunRows.Rows(from), once);
        Assert.Equal(once, RunRows.Rows(into));
    }

    [Fact]
    public async Task Merge_OfAFailureThatIsStillOpen_KeepsIt_AndOfOneThatIsDoneElsewhere_DropsIt()
    {
        string open = NewFile();
        string done = NewFile();
        await using (RunLedger ledger = RunLedger.Open(open))
        {
            // The grid is drawn, and captioning its panels failed after that.
            await ledger.WriteGridAsync(new LedgerGrid("fox~0", "grids/f.png", 8, 8, "aa", "d"));
            await ledger.WriteFailureAsync("fox~0", "sheet", "no captions");
        }
        await using (RunLedger ledger = RunLedger.Open(done))
        {
            await ledger.WriteGridAsync(new LedgerGrid("fox~0", "grids/f.png", 8, 8, "aa", "d"));
        }

        Assert.Single(RunRows.Rows(await MergedAsync(open, open)), r => r.StartsWith("failures: fox~0", StringComparison.Ordinal));
        Assert.DoesNotContain(RunRows.Rows(await MergedAsync(open, done)), r => r.StartsWith("failures", StringComparison.Ordinal));
        Assert.DoesNotContain(RunRows.Rows(await MergedAsync(done, open)), r => r.StartsWith("failures", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Merge_OfASessionThatWentOn_TakesItsLaterCount()
    {
        string early = NewFile();
        string late = NewFile();
        await using (RunLedger ledger = RunLedger.Open(early))
        {
            await ledger.WriteSpentAsync("s", 1, 100);
        }
        await using (RunLedger ledger = RunLedger.Open(late))
        {
            await ledger.WriteSpentAsync("s", 3, 300);
        }

        foreach (string merged in new[] { await MergedAsync(early, late), await MergedAsync(late, early) })
        {
            await using RunLedger ledger = RunLedger.OpenToRead(merged);
            Assert.Equal((3, 300), ledger.Spent());
        }
    }

    [Fact]
    public async Task Merge_TakesWhatReadersNeedToKnow()
    {
        string from = NewFile();
        await using (RunLedger ledger = RunLedger.Open(from))
        {
            await ledger.WriteMetaAsync("run", "r");
            await ledger.WriteMetaAsync("pairs", "Ordered");
        }

        await using RunLedger merged = RunLedger.OpenToRead(await MergedAsync(from));

        Assert.Equal(("r", "Ordered"), (merged.Meta("run"), merged.Meta("pairs")));
    }

    [Theory]
    [InlineData("UPDATE captions SET caption = 'an owl'", "captions")]
    [InlineData("UPDATE prompts SET text = 'three foxes'", "prompts")]
    [InlineData("UPDATE prompts SET seed = 8", "prompts")]
    [InlineData("UPDATE grids SET sha256 = 'bb'", "grids")]
    [InlineData("UPDATE panels SET caption = 'other'", "panels")]
    [InlineData("UPDATE pairs SET kept = 0", "pairs")]
    [InlineData("UPDATE pairs SET status = 'Undecided'", "pairs")]
    [InlineData("UPDATE reviews SET kept = 0", "reviews")]
    [InlineData("UPDATE meta SET value = 'another run' WHERE name = 'run'", "'run'")]
    [InlineData("ALTER TABLE pairs ADD COLUMN more TEXT", "whole ledger")]
    [InlineData("DROP TABLE votes", "whole ledger")]
    [InlineData(
        "ALTER TABLE grids RENAME TO g; CREATE TABLE grids (a, b, c, d, e, f); INSERT INTO grids VALUES (NULL, NULL, NULL, NULL, NULL, NULL)", "whole ledger")]
    public async Task Merge_OfALedgerThatContradicts_IsRefusedWithNothingChanged(string change, string named)
    {
        string into = await LedgerAsync([4]);
        string other = await LedgerAsync([4, 4, 3]);
        Execute(other, change);
        await using (RunLedger ledger = RunLedger.Open(into))
        {
            IReadOnlyList<string> before = RunRows.Rows(into);

            LedgerException refused = await Assert.ThrowsAsync<LedgerException>(() => ledger.MergeAsync(other));

            Assert.Contains(named, refused.Message, StringComparison.Ordinal);
            Assert.Contains(other, refused.Message, StringComparison.Ordinal);
            Assert.Equal(before, RunRows.Rows(into));
            // The fault is the other's: this ledger still takes writes.
            await ledger.WriteFailureAsync("x", "s", "m");
        }
    }

    [Fact]
    public async Task Merge_OfALedgerThatIsDamaged_IsRefusedWithNothingChanged()
    {
        string into = await LedgerAsync([4]);
        string other = await LedgerAsync([.. Enumerable.Repeat(4, 60)]);
        byte[] bytes = File.ReadAllBytes(other);
        // The first pages, which opening reads, stay; what lies behind them goes.
        bytes.AsSpan(bytes.Length / 2).Fill(0xA5);
        File.WriteAllBytes(other, bytes);
        await using RunLedger ledger = RunLedger.Open(into);
        IReadOnlyList<string> before = RunRows.Rows(into);

        await Assert.ThrowsAsync<LedgerException>(() => ledger.MergeAsync(other));

        Assert.Equal(before, RunRows.Rows(into));
        await ledger.WriteFailureAsync("x", "s", "m");
    }

    [Fact]
    public async Task Merge_OfALedgerThatIsNotThere_IsRefused()
    {
        await using RunLedger ledger = RunLedger.Open(NewFile());

        await Assert.ThrowsAsync<FileNotFoundException>(() => ledger.MergeAsync(_folder.File("none.db")));
    }

    /// <summary>
    /// A ledger in which each of some pieces of work has come some way: 0 not begun, 1 failed, 2 written, 3 drawn and failed after that, 4
    /// judged and reviewed.
    /// </summary>
    private async Task<string> LedgerAsync(int[] ways)
    {
        string file = NewFile();
        await using RunLedger ledger = RunLedger.Open(file);
        await ledger.WriteMetaAsync("run", "r");
        for (int i = 0; i < ways.Length; i++)
        {
            SeedCaption caption = Fox with { Key = $"fox{i}" };
            LedgerPrompt prompt = Prompt with { Id = $"fox{i}~0", CaptionKey = caption.Key };
            string pair = LedgerPair.IdOf(prompt.Id, 0, 1);
            if (ways[i] == 1)
            {
                await ledger.WriteFailureAsync(caption.Key, "prompts", $"failed in {Path.GetFileName(file)}");
            }
            if (ways[i] >= 2)
            {
                await ledger.WritePromptsAsync(caption, [prompt]);
            }
            if (ways[i] >= 3)
            {
                await ledger.WriteGridAsync(new LedgerGrid(prompt.Id, $"grids/{i}.png", 8, 8, "aa", "d"));
                await ledger.WritePanelCaptionAsync(prompt.Id, 0, "left");
            }
            if (ways[i] == 3)
            {
                await ledger.WriteFailureAsync(prompt.Id, "sheet", $"failed in {Path.GetFileName(file)}");
            }
            if (ways[i] == 4)
            {
                JudgeVote vote = new() { Judge = "j", Kept = true, Reason = "same", Attempts = 1, InputTokens = 5 };
                await ledger.WritePairAsync(
                    new LedgerPair(
                        pair, prompt.Id, 0, 1,
                        new PairJudgement { Status = VerdictStatus.Decided, Kept = true, Confidence = 0.5, Reason = "same", Votes = [vote] }));
                await ledger.WriteReviewAsync(pair, true, DateTimeOffset.UnixEpoch);
            }
        }
        return file;
    }

    private async Task<string> MergedAsync(params string[] ledgers)
    {
        string file = NewFile();
        await using RunLedger merged = RunLedger.Open(file);
        foreach (string ledger in ledgers)
        {
            await merged.MergeAsync(ledger);
        }
        return file;
    }

    private string NewFile() => _folder.File($"{Interlocked.Increment(ref _next)}.db");

    private static void Execute(string file, string sql)
    {
        using SqliteConnection connection = new($"Data Source={file};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
