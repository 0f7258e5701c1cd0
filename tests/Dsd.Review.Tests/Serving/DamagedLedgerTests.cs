using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Dsd.Review.Exporting;
using Dsd.Review.Reports;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Microsoft.Data.Sqlite;

namespace Dsd.Review.Tests.Serving;

/// <summary>Rows that cannot be read, and a ledger that is gone.</summary>
public sealed class DamagedLedgerTests : ReviewServerTest
{
    [Theory]
    [InlineData("UPDATE pairs SET status = 'Perhaps' WHERE id = 'p002~0~0-1'", "table 'pairs', row 'p002~0~0-1', field 'status'")]
    [InlineData("UPDATE pairs SET first = 5000000000 WHERE id = 'p002~0~0-1'", "field 'first'")]
    [InlineData("UPDATE votes SET verdict = '{' WHERE pair_id = 'p002~0~0-1'", "field 'verdict'")]
    [InlineData("UPDATE prompts SET captions = 'none' WHERE id = 'p002~0'", "table 'prompts', row 'p002~0', field 'captions'")]
    [InlineData("UPDATE grids SET sha256 = x'00' WHERE prompt_id = 'p002~0'", "field 'sha256'")]
    [InlineData("INSERT INTO panels VALUES ('p002~0', 77, 'c')", "table 'panels', row 'p002~0, 77', field 'panel'")]
    public async Task ABadRow_IsShownInItsPlace_AndHidesNoOther(string change, string named)
    {
        using (SqliteConnection other = new($"Data Source={RunFolder.LedgerFile(Run.Folder)};Pooling=False"))
        {
            other.Open();
            using SqliteCommand command = other.CreateCommand();
            command.CommandText = change;
            command.ExecuteNonQuery();
        }

        JsonElement page = await PageAsync("", 0, 24);
        JsonElement[] bad = [.. page.EnumerateArray().Where(p => p.GetProperty("fault").ValueKind == JsonValueKind.String)];
        JsonElement summary = await Http.GetFromJsonAsync<JsonElement>("api/summary");

        Assert.Equal(24, page.GetArrayLength());
        Assert.Equal(TestRun.IdOf(2), Assert.Single(bad).GetProperty("id").GetString());
        Assert.Contains(named, bad[0].GetProperty("fault").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, summary.GetProperty("unreadable").GetProperty("count").GetInt64());
        Assert.Contains(named, summary.GetProperty("unreadable").GetProperty("first")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await Http.GetAsync("panels/p002~0/7")).StatusCode);
        Assert.True((await Http.GetAsync("data.js")).IsSuccessStatusCode);
        Assert.True((await ListAsync("flag=text")).Count >= 9);
        Assert.True((await ListAsync("text=snow")).Count >= 29);
        // Files and a report are written of all others.
        Assert.Equal((30, 30), await ReviewExport.WriteAsync(Run.Folder, Path.Combine(Run.Folder, "page")));
        await Run.ReviewAsync((0, true), (1, true));
        await using RunLedger ledger = Run.Read();
        JudgeReport report = JudgeReport.Of(ledger);
        Assert.Equal((2, 1), (report.Judgement.Counts.Reviewed, report.Unreadable.Count));
    }

    [Fact]
    public async Task AVerdictOnAPairThatCannotBeRead_IsRefused()
    {
        using (SqliteConnection other = new($"Data Source={RunFolder.LedgerFile(Run.Folder)};Pooling=False"))
        {
            other.Open();
            using SqliteCommand command = other.CreateCommand();
            command.CommandText = "UPDATE pairs SET kept = 9 WHERE id = 'p002~0~0-1'";
            command.ExecuteNonQuery();
        }

        HttpResponseMessage answer = await Http.PostAsJsonAsync("api/verdicts", new { id = TestRun.IdOf(2), kept = true });

        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
        Assert.Contains("kept", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await VerdictAsync(3, true);
    }

    [Fact]
    public async Task AVerdict_ForALedgerThatIsGone_IsNotAcknowledged_AndMakesNone()
    {
        if (OperatingSystem.IsWindows())
        {
            // Files that are open are not given away there.
            return;
        }
        await VerdictAsync(0, true);
        string ledger = RunFolder.LedgerFile(Run.Folder);
        File.Move(ledger, Path.Combine(Run.Folder, "aside.db"));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await Http.PostAsJsonAsync("api/verdicts", new { id = TestRun.IdOf(1), kept = true })).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await Http.PostAsJsonAsync("api/verdicts", new { id = TestRun.IdOf(1), kept = true })).StatusCode);

        Assert.False(File.Exists(ledger));
    }
}
