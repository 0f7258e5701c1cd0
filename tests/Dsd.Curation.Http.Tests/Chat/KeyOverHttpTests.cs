using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Dsd.Curation.Chat;
using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.Testing;
using Dsd.Tools;
using Dsd.Tools.Serving;
using Microsoft.Data.Sqlite;

namespace Dsd.Curation.Http.Tests.Chat;

/// <summary>The key comes back by every way that a server has, and reaches no message and no row.</summary>
public sealed class KeyOverHttpTests : IDisposable
{
    // No part that is looked for below is made of digits alone: a port of the test's server would have it now and then.
    private const string Key = "sk-zqxj/Se+cret=99_never-to-be-seen";
    private static readonly Picture Grey = new(8, 8, new byte[3 * 8 * 8]);
    private readonly string _variable = $"DSD_TEST_KEY_{Guid.NewGuid():N}";

    public KeyOverHttpTests() => Environment.SetEnvironmentVariable(_variable, Key);

    public void Dispose() => Environment.SetEnvironmentVariable(_variable, null);

    private static readonly string[] AllForms =
    [
        Key,
        Key.Replace("/", "\\/", StringComparison.Ordinal),
        JsonSerializer.Serialize(Key)[1..^1],
        string.Concat(Key.Select(c => $"\\u{(int)c:x4}")),
        Uri.EscapeDataString(Key),
        Convert.ToBase64String(Encoding.UTF8.GetBytes($"user:{Key}")),
        Key.Insert(15, " "),
    ];

    public static TheoryData<string> Forms => [.. AllForms];

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Key_InARefusal_ReachesNoMessage(string form)
    {
        Clean((await FailureAsync(_ => new ChatFault.Body($$"""{"error":{"message":"Incorrect API key: {{form}}"} }""", 401))).ToString());
        Clean((await FailureAsync(_ => new ChatFault.Body($"<html>Incorrect API key: {form}</html>", 403, "text/html"))).ToString());
        // Where the quotation ends in the midst of it.
        Clean((await FailureAsync(_ => new ChatFault.Body(new string('x', 285) + " " + form, 500))).ToString());
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Key_InABodyThatIsNotUnderstood_ReachesNoMessage(string form)
    {
        Clean((await FailureAsync(_ => new ChatFault.Body($$"""{"error":{"message":"Incorrect API key: {{form}}"} }"""))).ToString());
        Clean((await FailureAsync(_ => new ChatFault.Body($$"""{"{{form}}":["{{form}}"]}"""))).ToString());
        Clean((await FailureAsync(_ => new ChatFault.Body($"key {form}"))).ToString());
    }

    [Theory]
    [InlineData("http://192.0.2.1:81/login?key=", "http://192.0.2.1:81")]
    [InlineData("https://example.com/", "https://example.com")]
    [InlineData("https://me:", "another address", "@example.com/")]
    [InlineData("/login/", "http://127.0.0.1")]
    public async Task Key_InARedirection_ReachesNoMessage_WhichHasSchemeAndHostAlone(string before, string shown, string after = "")
    {
        string message = (await FailureAsync(_ => new ChatFault.Status(307, "moved", "Location", before + Uri.EscapeDataString(Key) + after))).ToString();

        Clean(message);
        Assert.True(message.Contains(shown, StringComparison.Ordinal) || message.Contains("https://example.com", StringComparison.Ordinal), message);
        Assert.DoesNotContain("login", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_InALineThatIsNoHttp_ReachesNoMessage()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = Task.Run(async () =>
        {
            using TcpClient caller = await listener.AcceptTcpClientAsync();
            NetworkStream stream = caller.GetStream();
            await stream.ReadAtLeastAsync(new byte[100], 100);
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nno header {Key}\r\n\r\n"));
            await Task.Delay(200);
        });
        ChatEndpoint endpoint = new(new Uri($"http://{listener.LocalEndpoint}/v1"), "m") { KeyVariable = _variable };
        using LimitedChatClient client = new(endpoint.CreateClient(), Asking.Quick with { Retries = 0 });

        Exception failure = (await Asking.AskManyAsync(client, 1))[0]!;

        Clean(failure.ToString());
        await serving;
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Key_InAnAnswer_ReachesNoVerdict(string form)
    {
        string inJson = form.Contains('\\', StringComparison.Ordinal) ? form : JsonSerializer.Serialize(form)[1..^1];
        string content = Asking.SameVerdict.ToJson().Replace("a red toy", inJson, StringComparison.Ordinal);
        string body = $$"""
            {"model": "{{inJson}}", "choices": [{"finish_reason": "{{inJson}}", "message": {"content": {{JsonSerializer.Serialize(content)}} } }]}
            """;

        PairJudgement judged = await JudgeAsync(new ChatFault.Body(body));

        Assert.Equal(VerdictStatus.Decided, judged.Status);
        Assert.Contains("[key]", judged.Verdict!.DescriptionA, StringComparison.Ordinal);
        Clean(judged.Verdict.ToJson());
        Clean(judged.Votes[0].Model!);
        Clean(judged.Reason);
    }

    [Fact]
    public async Task Key_InPartsOfAnAnswer_ReachesNoVerdict()
    {
        string content = (Asking.SameVerdict with { Subject = Key[..17], DescriptionB = Key[17..] }).ToJson();
        string[] parts = [.. content.Chunk(25).Select(c => new string(c))];
        string body = $$"""{"choices": [{"message": {"content": {{JsonSerializer.Serialize(parts.Select(text => new { type = "text", text }))}} } }]}""";

        PairJudgement judged = await JudgeAsync(new ChatFault.Body(body));

        Clean(judged.Verdict!.ToJson());
        Assert.Equal(("[key]", "[key]"), (judged.Verdict.Subject.Trim('=', '_', '-'), judged.Verdict.DescriptionB.Trim('=', '_', '-')));
    }

    [Fact]
    public async Task Key_InAnAnswerThatIsNone_ReachesNoReason()
    {
        Clean((await JudgeAsync(new ChatFault.Answer($"no JSON but {Key}"))).Reason);
        Clean((await JudgeAsync(new ChatFault.Body($$"""{"choices":[{"message":{"content":null,"refusal":"no: {{Key}}"} }]}"""))).Reason);
        Clean((await JudgeAsync(new ChatFault.Body($$"""{"choices":[{"message":{"content":null},"finish_reason":"length {{Key}}"}]}"""))).Reason);
        Clean((await JudgeAsync(new ChatFault.Answer(Asking.SameVerdict.ToJson().Replace("subject", Key, StringComparison.Ordinal)))).Reason);
    }

    [Fact]
    public async Task Run_WithAServerThatRepeatsTheKeyEverywhere_WritesItNowhere()
    {
        using TemporaryFolder folder = new();
        string Form(int number) => AllForms[number / 3 % AllForms.Length];
        string Verdict(string form) =>
            Asking.SameVerdict.ToJson().Replace(
                "a toy", form.Contains('\\', StringComparison.Ordinal) ? form : JsonSerializer.Serialize(form)[1..^1], StringComparison.Ordinal);
        await using ChatServer server = await Asking.ServerAsync(
            q => q.Number % 3 == 0 ? new ChatFault.Body($$"""{"error":"{{Form(q.Number)}}"}""", 400) : null,
            answer: q => q.Number % 3 == 1 ? Verdict(Form(q.Number)) : $"no {Key}");
        string chat = folder.File("chat.json");
        string model = $$"""{ "address": "{{server.Address}}", "model": "m", "retries": 0, "key_variable": "{{_variable}}" }""";
        await File.WriteAllTextAsync(chat, $$"""{ "models": { "m": {{model}} }, "judge": { "ask": ["m"] } }""");
        using StringWriter said = new();
        await DsdCli.Program.RunAsync(
            ["curate", "run", "--captions", "tiny", "--count", "24", "--steps", "1", "--judges", "1", "--verbose", "--chat", chat, "--out", folder.File("run")],
            said,
            said);

        Assert.True(server.Asked > 24);
        Clean(said.ToString());
        SqliteConnection.ClearAllPools();
        foreach (string file in Directory.EnumerateFiles(folder.File("run"), "*", SearchOption.AllDirectories)
            .Where(f => !f.EndsWith(".png", StringComparison.Ordinal)))
        {
            Clean(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file)));
        }
    }

    [Theory]
    [InlineData("sk-zqxj-secret")]
    [InlineData("47zqxjsecret")]
    public void Key_PutWhereTheVariablesNameBelongs_IsNotShown(string key)
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() => new ChatEndpoint(new Uri("http://localhost/v1"), "m") { KeyVariable = key });

        Assert.Contains("KeyVariable", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("zqxj", refused.ToString(), StringComparison.Ordinal);
    }

    private static void Clean(string text)
    {
        foreach (string part in new[] { "zqxj", "cret", "never", "seen", "ay16cXhq", "bmV2ZXIt", "\\u0073" })
        {
            Assert.DoesNotContain(part, text, StringComparison.OrdinalIgnoreCase);
        }
    }

    private async Task<Exception> FailureAsync(Func<ChatQuestion, ChatFault?> fault)
    {
        await using ChatServer server = await Asking.ServerAsync(fault);
        using LimitedChatClient client =
            Asking.Client(server, Asking.Quick with { Retries = 0 }, new ChatEndpoint(server.Address, "m") { KeyVariable = _variable });
        return Assert.IsType<ChatFailedException>((await Asking.AskManyAsync(client, 1))[0]);
    }

    private async Task<PairJudgement> JudgeAsync(ChatFault fault)
    {
        await using ChatServer server = await Asking.ServerAsync(_ => fault);
        using LimitedChatClient client =
            Asking.Client(server, Asking.Quick with { Retries = 0 }, new ChatEndpoint(server.Address, "m") { KeyVariable = _variable });
        return await new PairJudge(client).JudgeAsync(Grey, Grey);
    }
}
