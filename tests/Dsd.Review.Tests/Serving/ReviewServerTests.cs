using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Dsd.Imaging;
using Dsd.Review.Exporting;
using Dsd.Review.Reports;
using Dsd.Review.Serving;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Microsoft.Data.Sqlite;

namespace Dsd.Review.Tests.Serving;

public sealed class ReviewServerTests : IAsyncLifetime
{
    private readonly HttpClient _http = new();
    private TestRun _run = null!;
    private ReviewServer _server = null!;

    public async Task InitializeAsync()
    {
        _run = await TestRun.MakeAsync(30);
        _server = await ReviewServer.StartAsync(_run.Folder);
        _http.BaseAddress = _server.Address;
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
        _run.Dispose();
    }

    [Fact]
    public async Task Page_IsServedOnLoopbackWithAStrictPolicy()
    {
        Assert.Equal("127.0.0.1", _server.Address.Host);
        HttpResponseMessage page = await _http.GetAsync("");

        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        string policy = page.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("same-origin", page.Headers.GetValues("Cross-Origin-Resource-Policy").Single());
        string html = await page.Content.ReadAsStringAsync();
        Assert.DoesNotContain("<style", html, StringComparison.Ordinal);
        Assert.DoesNotContain(" style=", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http", html.Replace("http-equiv", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.All(await Task.WhenAll(((string[])["review.js", "review.css", "data.js", "icon.svg"]).Select(f => _http.GetAsync(f))), r => Assert.Equal(HttpStatusCode.OK, r.StatusCode));
    }

    [Fact]
    public async Task Port_ListensOnNoOtherAddressOfThisMachine()
    {
        IPAddress[] others = [.. (await Dns.GetHostAddressesAsync(Dns.GetHostName())).Where(a => !IPAddress.IsLoopback(a) && a.AddressFamily == AddressFamily.InterNetwork), IPAddress.Parse("127.0.0.2")];
        foreach (IPAddress other in others)
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await Assert.ThrowsAsync<SocketException>(() => socket.ConnectAsync(other, _server.Address.Port));
        }
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:PORT")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1.evil.example:PORT")]
    [InlineData("127.0.0.1:1")]
    public async Task Request_ForAnotherHost_IsRefused(string host)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "api/summary") { Headers = { Host = host.Replace("PORT", $"{_server.Address.Port}", StringComparison.Ordinal) } };

        Assert.Equal(HttpStatusCode.Forbidden, (await _http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Request_ByTheNameLocalhost_IsServed()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "api/summary") { Headers = { Host = $"localhost:{_server.Address.Port}" } };

        Assert.Equal(HttpStatusCode.OK, (await _http.SendAsync(request)).StatusCode);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/api/summary")]
    [InlineData("/00000000000000000000000000000000/")]
    [InlineData("/00000000000000000000000000000000/api/summary")]
    [InlineData("/panels/p000~0/0")]
    public async Task Request_WithoutTheToken_IsRefused(string path) =>
        Assert.Equal(HttpStatusCode.Forbidden, (await _http.GetAsync(new Uri(_server.Address, path))).StatusCode);

    [Theory]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task Verdict_FromAnotherSite_IsRefusedAndNotWritten(string header, string value)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "api/verdicts") { Content = JsonContent.Create(new { id = TestRun.IdOf(0), kept = false }) };
        request.Headers.Add(header, value);

        Assert.Equal(HttpStatusCode.Forbidden, (await _http.SendAsync(request)).StatusCode);
        Assert.Null(await _run.ReviewOfAsync(0));
    }

    [Fact]
    public async Task Verdict_WithoutTheToken_IsNotWritten()
    {
        HttpResponseMessage answer = await _http.PostAsJsonAsync(new Uri(_server.Address, "/api/verdicts"), new { id = TestRun.IdOf(0), kept = false });

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Null(await _run.ReviewOfAsync(0));
    }

    [Theory]
    [InlineData("text/plain", """{"id":"p000~0~0-1","kept":true}""", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/json", """{"id":"p000~0~0-1","kept":"yes"}""", HttpStatusCode.BadRequest)]
    [InlineData("application/json", """{"id":"p000~0~0-1"}""", HttpStatusCode.BadRequest)]
    [InlineData("application/json", """{"id":"p000~0~0-1","kept":true,"at":"now"}""", HttpStatusCode.BadRequest)]
    [InlineData("application/json", """{"id":"p000~""", HttpStatusCode.BadRequest)]
    [InlineData("application/json", """{"id":"no such pair","kept":true}""", HttpStatusCode.NotFound)]
    public async Task Verdict_ThatIsNone_IsRefused(string type, string body, HttpStatusCode status)
    {
        HttpResponseMessage answer = await _http.PostAsync("api/verdicts", new StringContent(body, Encoding.UTF8, type));

        Assert.Equal(status, answer.StatusCode);
        Assert.NotEmpty((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetString()!);
        Assert.Null(await _run.ReviewOfAsync(0));
    }

    [Fact]
    public async Task Verdict_LongerThanAnyIs_IsRefused()
    {
        HttpResponseMessage answer = await _http.PostAsync("api/verdicts", new StringContent($$"""{"id":"{{new string('x', 5000)}}","kept":true}""", Encoding.UTF8, "application/json"));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task Verdict_IsInTheLedgerWhenItIsAnswered_AndCanBeChangedAndTakenBack()
    {
        JsonElement summary = await VerdictAsync(0, false);
        Assert.False(await _run.ReviewOfAsync(0));
        Assert.Equal(1, summary.GetProperty("reviewed").GetInt32());
        Assert.False((await PageAsync("", 0, 1))[0].GetProperty("reviewed").GetBoolean());

        await VerdictAsync(0, true);
        Assert.True(await _run.ReviewOfAsync(0));

        summary = await VerdictAsync(0, null);
        Assert.Null(await _run.ReviewOfAsync(0));
        Assert.Equal(0, summary.GetProperty("reviewed").GetInt32());
    }

    [Fact]
    public async Task List_IsGivenInParts_EachPairOnceAndInOrder()
    {
        (long list, int count) = await ListAsync("");
        List<string> ids = [];
        for (int from = 0; from < count; from += 7)
        {
            ids.AddRange((await PartAsync(list, from, 7)).EnumerateArray().Select(p => p.GetProperty("id").GetString()!));
        }

        Assert.Equal(Enumerable.Range(0, 30).Select(TestRun.IdOf), ids);
    }

    [Fact]
    public async Task List_StaysAsItWasMade_WhenVerdictsAreGiven()
    {
        (long list, int count) = await ListAsync("review=unreviewed");
        await VerdictAsync(0, true);
        await VerdictAsync(1, true);

        Assert.Equal(30, count);
        Assert.Equal(TestRun.IdOf(2), (await PartAsync(list, 2, 1))[0].GetProperty("id").GetString());
        Assert.Equal(28, (await ListAsync("review=unreviewed")).Count);
    }

    [Fact]
    public async Task List_ThatIsForgotten_IsTold()
    {
        (long list, _) = await ListAsync("");
        for (int i = 0; i < 8; i++)
        {
            await ListAsync("");
        }

        Assert.Equal(HttpStatusCode.Gone, (await _http.GetAsync($"api/lists/{list}?from=0&count=5")).StatusCode);
    }

    [Theory]
    [InlineData("outcome=kept", 10)]
    [InlineData("outcome=rejected", 10)]
    [InlineData("outcome=undecided", 10)]
    [InlineData("review=reviewed", 3)]
    [InlineData("review=unreviewed", 27)]
    [InlineData("review=kept", 2)]
    [InlineData("review=rejected", 1)]
    [InlineData("review=disagreeing", 2)]
    [InlineData("least=0.3&most=0.5", 10)]
    [InlineData("least=0.31", 10)]
    [InlineData("flag=text", 10)]
    [InlineData("flag=tex", 0)]
    [InlineData("judge=stern", 20)]
    [InlineData("judge=stern&outcome=rejected&review=kept", 1)]
    [InlineData("text=THE%20SIZE", 9)]
    [InlineData("text=SUBJECT%2012%20in", 1)]
    [InlineData("text=gr%C3%96%C3%9Fe", 30)]
    [InlineData("text=description_a", 0)]
    [InlineData("text=%25", 0)]
    public async Task List_HoldsThePairsThatPassItsFilters(string query, int expected)
    {
        await _run.ReviewAsync((0, true), (1, true), (3, false));

        Assert.Equal(expected, (await ListAsync(query)).Count);
    }

    [Theory]
    [InlineData("outcome=good")]
    [InlineData("outcome=1")]
    [InlineData("outcome=kept,rejected")]
    [InlineData("outcome=kept&outcome=rejected")]
    [InlineData("outcome=%20kept")]
    [InlineData("review=kept,reviewed")]
    [InlineData("outcom=kept")]
    [InlineData("text=a&text=b")]
    [InlineData("text=%00")]
    [InlineData("text=a%00b")]
    [InlineData("flag=%00")]
    [InlineData("judge=stern%00")]
    [InlineData("text=%FF")]
    [InlineData("text=%ED%A0%80")]
    [InlineData("least=1e-3")]
    [InlineData("least=0,3")]
    [InlineData("least=2")]
    [InlineData("most=NaN")]
    [InlineData("text=LONG")]
    public async Task List_WithAFilterThatIsNone_IsRefused(string query)
    {
        HttpResponseMessage answer = await _http.GetAsync("api/lists?" + query.Replace("LONG", new string('x', 201), StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Theory]
    [InlineData("""{"id":"\ud800","kept":true}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"p000~0~0-1\udc00","kept":true}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"\ud800":"p000~0~0-1","kept":true}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"p000~0~0-1\u0000","kept":true}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"p000~0~0-1","id":"p000~0~0-1"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":["p000~0~0-1"],"kept":true}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"p000~0~0-1","kept":1}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"p000~0~0-1","kept":true} x""", HttpStatusCode.BadRequest)]
    [InlineData("""[""", HttpStatusCode.BadRequest)]
    [InlineData("", HttpStatusCode.BadRequest)]
    [InlineData("""{"id":"","kept":true}""", HttpStatusCode.NotFound)]
    [InlineData("""{"id":"%","kept":true}""", HttpStatusCode.NotFound)]
    public async Task Verdict_OfAnotherForm_IsRefused_AndNothingIsWritten(string body, HttpStatusCode status)
    {
        HttpResponseMessage answer = await _http.PostAsync("api/verdicts", new StringContent(body, Encoding.UTF8, "application/json"));

        Assert.Equal(status, answer.StatusCode);
        Assert.Null(await _run.ReviewOfAsync(0));
    }

    [Theory]
    [InlineData("api/lists/1?from=0")]
    [InlineData("api/lists/1?from=0&count=1&count=2")]
    [InlineData("api/lists/1?from=0&count=101")]
    [InlineData("api/lists/1?from=-1&count=1")]
    [InlineData("api/lists/1?from=0&count=1&more=1")]
    [InlineData("api/summary?of=all")]
    [InlineData("panels/p000~0/0?small=0")]
    [InlineData("panels/p000~0/0?size=9")]
    public async Task Query_ThatIsNone_IsRefused(string path)
    {
        await ListAsync("");

        Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync(path)).StatusCode);
    }

    [Theory]
    [InlineData("UPDATE pairs SET status = 'Perhaps' WHERE id = 'p002~0~0-1'", "table 'pairs', row 'p002~0~0-1', field 'status'")]
    [InlineData("UPDATE pairs SET first = 5000000000 WHERE id = 'p002~0~0-1'", "field 'first'")]
    [InlineData("UPDATE votes SET verdict = '{' WHERE pair_id = 'p002~0~0-1'", "field 'verdict'")]
    [InlineData("UPDATE prompts SET captions = 'none' WHERE id = 'p002~0'", "table 'prompts', row 'p002~0', field 'captions'")]
    [InlineData("UPDATE grids SET sha256 = x'00' WHERE prompt_id = 'p002~0'", "field 'sha256'")]
    [InlineData("INSERT INTO panels VALUES ('p002~0', 77, 'c')", "table 'panels', row 'p002~0, 77', field 'panel'")]
    public async Task ABadRow_IsShownInItsPlace_AndHidesNoOther(string change, string named)
    {
        using (SqliteConnection other = new($"Data Source={RunFolder.LedgerFile(_run.Folder)};Pooling=False"))
        {
            other.Open();
            using SqliteCommand command = other.CreateCommand();
            command.CommandText = change;
            command.ExecuteNonQuery();
        }

        JsonElement page = await PageAsync("", 0, 24);
        JsonElement[] bad = [.. page.EnumerateArray().Where(p => p.GetProperty("fault").ValueKind == JsonValueKind.String)];
        JsonElement summary = await _http.GetFromJsonAsync<JsonElement>("api/summary");

        Assert.Equal(24, page.GetArrayLength());
        Assert.Equal(TestRun.IdOf(2), Assert.Single(bad).GetProperty("id").GetString());
        Assert.Contains(named, bad[0].GetProperty("fault").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, summary.GetProperty("unreadable").GetProperty("count").GetInt64());
        Assert.Contains(named, summary.GetProperty("unreadable").GetProperty("first")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync("panels/p002~0/7")).StatusCode);
        Assert.True((await _http.GetAsync("data.js")).IsSuccessStatusCode);
        Assert.True((await ListAsync("flag=text")).Count >= 9);
        Assert.True((await ListAsync("text=snow")).Count >= 29);
        // Files and a report are written of all others.
        Assert.Equal((30, 30), await ReviewExport.WriteAsync(_run.Folder, Path.Combine(_run.Folder, "page")));
        await _run.ReviewAsync((0, true), (1, true));
        await using RunLedger ledger = _run.Read();
        JudgeReport report = JudgeReport.Of(ledger);
        Assert.Equal((2, 1), (report.Judgement.Counts.Reviewed, report.Unreadable.Count));
    }

    [Fact]
    public async Task AVerdictOnAPairThatCannotBeRead_IsRefused()
    {
        using (SqliteConnection other = new($"Data Source={RunFolder.LedgerFile(_run.Folder)};Pooling=False"))
        {
            other.Open();
            using SqliteCommand command = other.CreateCommand();
            command.CommandText = "UPDATE pairs SET kept = 9 WHERE id = 'p002~0~0-1'";
            command.ExecuteNonQuery();
        }

        HttpResponseMessage answer = await _http.PostAsJsonAsync("api/verdicts", new { id = TestRun.IdOf(2), kept = true });

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
        string ledger = RunFolder.LedgerFile(_run.Folder);
        File.Move(ledger, Path.Combine(_run.Folder, "aside.db"));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _http.PostAsJsonAsync("api/verdicts", new { id = TestRun.IdOf(1), kept = true })).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _http.PostAsJsonAsync("api/verdicts", new { id = TestRun.IdOf(1), kept = true })).StatusCode);

        Assert.False(File.Exists(ledger));
    }

    [Fact]
    public async Task Pair_HoldsCaptionsVerdictAndVotes()
    {
        JsonElement pair = (await PageAsync("", 3, 1))[0];

        Assert.Equal("subject 3 at the sea", pair.GetProperty("first").GetProperty("caption").GetString());
        Assert.Equal("left", pair.GetProperty("first").GetProperty("place").GetString());
        Assert.Equal(0.9, pair.GetProperty("confidence").GetDouble());
        Assert.Equal("blue", pair.GetProperty("verdict").GetProperty("description_b").GetString());
        Assert.Equal("mild", pair.GetProperty("votes")[0].GetProperty("judge").GetString());
        Assert.Equal(JsonValueKind.Null, (await PageAsync("", 2, 1))[0].GetProperty("confidence").ValueKind);
    }

    [Fact]
    public async Task Panels_AreCutAsTheRunCutThem()
    {
        JsonElement pair = (await PageAsync("", 0, 1))[0];
        HttpResponseMessage first = await _http.GetAsync(pair.GetProperty("first").GetProperty("source").GetString());
        Picture second = Picture.Decode(await _http.GetByteArrayAsync(pair.GetProperty("second").GetProperty("source").GetString()), "second");

        Assert.Equal("image/png", first.Content.Headers.ContentType!.MediaType);
        // The gutter's blurred edge goes with the gutter.
        Assert.InRange(second.Width, TestRun.PanelWidth - 1, TestRun.PanelWidth);
        Assert.Equal(TestRun.PanelHeight, second.Height);
        Assert.Equal(220, second.Pixels[2]);
        Assert.Equal(220, Picture.Decode(await first.Content.ReadAsByteArrayAsync(), "first").Pixels[0]);
    }

    [Theory]
    [InlineData("panels/p000~0/2")]
    [InlineData("panels/nothing/0")]
    [InlineData("panels/..%2F..%2Fledger.db/0")]
    [InlineData("panels/%2Fetc%2Fpasswd/0")]
    [InlineData("nothing")]
    public async Task Panel_ThatIsNone_IsNotFound(string path) => Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync(path)).StatusCode);

    [Fact]
    public async Task Panel_OfADamagedSheet_IsNotFound_AndIsServedAgainWhenTheSheetIsBack()
    {
        string file = Directory.EnumerateFiles(Path.Combine(_run.Folder, "grids"), "p004~0.*", SearchOption.AllDirectories).Single();
        byte[] whole = await File.ReadAllBytesAsync(file);
        await File.WriteAllBytesAsync(file, whole[..^20]);
        Assert.Equal(HttpStatusCode.NotFound, (await _http.GetAsync("panels/p004~0/0")).StatusCode);

        await File.WriteAllBytesAsync(file, whole);
        Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync("panels/p004~0/0")).StatusCode);
    }

    [Fact]
    public async Task Texts_NeverReachTheScriptAsMarkup()
    {
        string data = await _http.GetStringAsync("data.js");
        string part = (await PageAsync("", 1, 1)).GetRawText();

        Assert.Contains("flag", data, StringComparison.Ordinal);
        Assert.DoesNotContain('<', data);
        Assert.DoesNotContain('<', part);
        Assert.Equal(TestRun.Hostile, (await PageAsync("", 1, 1))[0].GetProperty("first").GetProperty("caption").GetString());
    }

    [Fact]
    public async Task Review_BesideARun_BlocksNeitherAndLosesNothing()
    {
        // The run holds the folder's lock and writes as fast as it can; its own process or another makes no difference to the file.
        await using RunFolder run = RunFolder.Open(_run.Folder);
        Task working = Task.Run(async () =>
        {
            for (int i = 100; i < 400; i++)
            {
                await TestRun.AddAsync(run, i, sheet: false);
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 30).Select(i => VerdictAsync(i, i % 2 == 0)));
        await working;

        await using RunLedger ledger = _run.Read();
        Assert.Equal(330, ledger.Counts().Pairs);
        Assert.Equal(30, ledger.Counts().Reviewed);
        Assert.All(Enumerable.Range(0, 30), i => Assert.Equal(i % 2 == 0, ledger.PairOf(TestRun.IdOf(i)).Reviewed));
        Assert.Equal(330, (await ListAsync("")).Count);
    }

    [Fact]
    public async Task Verdict_WaitsForALongTransactionOfARun()
    {
        using SqliteConnection run = new($"Data Source={RunFolder.LedgerFile(_run.Folder)};Pooling=False");
        run.Open();
        SqliteTransaction transaction = run.BeginTransaction();
        Task<JsonElement> verdict = VerdictAsync(5, true);
        await Task.Delay(700);
        bool early = verdict.IsCompleted;
        await transaction.CommitAsync();
        await verdict;

        Assert.False(early);
        Assert.True(await _run.ReviewOfAsync(5));
    }

    [Fact]
    public async Task Verdict_ThatCannotBeWritten_IsTold_AndTheNextOneIsWritten()
    {
        using SqliteConnection other = new($"Data Source={RunFolder.LedgerFile(_run.Folder)};Pooling=False");
        other.Open();
        Execute("CREATE TRIGGER full BEFORE INSERT ON reviews BEGIN SELECT RAISE(FAIL, 'the disk is full'); END");
        HttpResponseMessage answer = await _http.PostAsJsonAsync("api/verdicts", new { id = TestRun.IdOf(0), kept = true });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("the disk is full", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Null(await _run.ReviewOfAsync(0));

        Execute("DROP TRIGGER full");
        await VerdictAsync(0, true);
        Assert.True(await _run.ReviewOfAsync(0));

        void Execute(string sql)
        {
            using SqliteCommand command = other.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
    }

    [Fact]
    public async Task Summary_SaysHowFarTheJudgeIsRight_AndOnlyWhatCanBeKnown()
    {
        JsonElement one = await VerdictAsync(0, true);
        Assert.Equal("keptOnly", one.GetProperty("side").GetString());
        Assert.Equal(1, one.GetProperty("precision").GetProperty("value").GetDouble());
        Assert.Equal(JsonValueKind.Null, one.GetProperty("recall").GetProperty("value").ValueKind);

        await VerdictAsync(3, false);
        JsonElement both = await VerdictAsync(1, true);
        Assert.Equal(0.5, both.GetProperty("precision").GetProperty("value").GetDouble());
        Assert.Equal(0.5, both.GetProperty("recall").GetProperty("value").GetDouble());
    }

    [Fact]
    public async Task Start_InAFolderWithoutALedger_SaysSoAndMakesNone()
    {
        string folder = Path.Combine(_run.Folder, "empty");
        Directory.CreateDirectory(folder);
        await Assert.ThrowsAsync<FileNotFoundException>(() => ReviewServer.StartAsync(folder));

        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    [Fact]
    public async Task Start_OnAPortThatIsTaken_NamesIt()
    {
        int port = _server.Address.Port;
        IOException fault = await Assert.ThrowsAsync<IOException>(() => ReviewServer.StartAsync(_run.Folder, new ReviewOptions { Port = port }));

        Assert.Contains($"Port {port}", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_OfARunThatWasNeverBegun_SaysWhatIsMissing()
    {
        string folder = Path.Combine(_run.Folder, "new");
        await using (RunFolder.Open(folder))
        {
        }

        LedgerException fault = await Assert.ThrowsAsync<LedgerException>(() => ReviewServer.StartAsync(folder));
        Assert.Contains("cutting", fault.Message, StringComparison.Ordinal);
    }

    private async Task<JsonElement> VerdictAsync(int pair, bool? kept)
    {
        HttpResponseMessage answer = await _http.PostAsJsonAsync("api/verdicts", new { id = TestRun.IdOf(pair), kept });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<(long List, int Count)> ListAsync(string query)
    {
        JsonElement made = await _http.GetFromJsonAsync<JsonElement>($"api/lists?{query}");
        return (made.GetProperty("list").GetInt64(), made.GetProperty("count").GetInt32());
    }

    private async Task<JsonElement> PartAsync(long list, int from, int count) =>
        (await _http.GetFromJsonAsync<JsonElement>($"api/lists/{list}?from={from}&count={count}")).GetProperty("pairs");

    private async Task<JsonElement> PageAsync(string query, int from, int count) => await PartAsync((await ListAsync(query)).List, from, count);
}
