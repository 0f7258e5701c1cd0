using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Microsoft.Data.Sqlite;

namespace Dsd.Review.Tests.Serving;

/// <summary>A review and a run that write to one ledger.</summary>
public sealed class BesideARunTests : ReviewServerTest
{
    [Fact]
    public async Task Review_BesideARun_BlocksNeitherAndLosesNothing()
    {
        // The run holds the folder's lock and writes as fast as it can; its own process or another makes no difference to the file.
        await using RunFolder run = RunFolder.Open(Run.Folder);
        Task working = Task.Run(async () =>
        {
            for (int i = 100; i < 400; i++)
            {
                await TestRun.AddAsync(run, i, grid: false);
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 30).Select(i => VerdictAsync(i, i % 2 == 0)));
        await working;

        await using RunLedger ledger = Run.Read();
        Assert.Equal(330, ledger.Counts().Pairs);
        Assert.Equal(30, ledger.Counts().Reviewed);
        Assert.All(Enumerable.Range(0, 30), i => Assert.Equal(i % 2 == 0, ledger.PairOf(TestRun.IdOf(i)).Reviewed));
        Assert.Equal(330, (await ListAsync("")).Count);
    }

    [Fact]
    public async Task Verdict_WaitsForALongTransactionOfARun()
    {
        using SqliteConnection run = new($"Data Source={RunFolder.LedgerFile(Run.Folder)};Pooling=False");
        run.Open();
        SqliteTransaction transaction = run.BeginTransaction();
        Task<JsonElement> verdict = VerdictAsync(5, true);
        await Task.Delay(700);
        bool early = verdict.IsCompleted;
        await transaction.CommitAsync();
        await verdict;

        Assert.False(early);
        Assert.True(await Run.ReviewOfAsync(5));
    }

    [Fact]
    public async Task Verdict_ThatCannotBeWritten_IsTold_AndTheNextOneIsWritten()
    {
        using SqliteConnection other = new($"Data Source={RunFolder.LedgerFile(Run.Folder)};Pooling=False");
        other.Open();
        Execute("CREATE TRIGGER full BEFORE INSERT ON reviews BEGIN SELECT RAISE(FAIL, 'the disk is full'); END");
        HttpResponseMessage answer = await Http.PostAsJsonAsync("api/verdicts", new { id = TestRun.IdOf(0), kept = true });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("the disk is full", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Null(await Run.ReviewOfAsync(0));

        Execute("DROP TRIGGER full");
        await VerdictAsync(0, true);
        Assert.True(await Run.ReviewOfAsync(0));

        void Execute(string sql)
        {
            using SqliteCommand command = other.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
    }
}
