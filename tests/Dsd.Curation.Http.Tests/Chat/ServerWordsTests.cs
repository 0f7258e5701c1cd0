using Dsd.Curation.Chat;
using Dsd.Testing;
using Dsd.Tools;
using Dsd.Tools.Serving;

namespace Dsd.Curation.Http.Tests.Chat;

/// <summary>What servers say when they refuse, and what our message makes of it.</summary>
public class ServerWordsTests
{
    public static TheoryData<int, string, string[]> Refusals => new()
    {
        // LM Studio, vLLM until 0.10, FastAPI, Ollama, a proxy.
        { 400, "{\"error\":\"Model is unloaded.\"}", ["Model is unloaded."] },
        {
            400,
            "{\"object\":\"error\",\"message\":\"The prompt is wrong.\",\"type\":\"BadRequestError\",\"param\":null,\"code\":400}",
            ["The prompt is wrong."]
        },
        { 404, "{\"detail\":\"Not Found\"}", ["Not Found", "/v1"] },
        { 422, "{\"detail\":[{\"loc\":[\"body\",\"seed\"],\"msg\":\"extra fields not permitted\"}]}", ["extra fields not permitted", "SendSeed", "send_seed"] },
        { 404, "{\"error\":{\"message\":\"model 'm' not found, try pulling it first\",\"type\":\"not_found_error\"}}", ["try pulling it first", "model"] },
        { 404, "{\"error\":{\"message\":\"No endpoints found that support image input\",\"code\":404}}", ["support image input", "vision-language"] },
        {
            500,
            "{\"error\":{\"code\":500,\"message\":\"image input is not supported - hint: you may need to provide the mmproj\"}}",
            ["mmproj", "vision-language"]
        },
        { 400, "{\"error\":{\"message\":\"This model's maximum context length is 4096 tokens.\"}}", ["4096 tokens", "max_image_side", "MaxImageSide"] },
        { 400, "{\"error\":{\"message\":\"Unsupported value: 'temperature' does not support 0.2\"}}", ["does not support 0.2", "leave out temperature"] },
        { 400, "{\"error\":{\"message\":\"max_tokens is too large: 90000\"}}", ["90000"] },
        { 413, "<html>\n<head><title>413 Request Entity Too Large</title></head>\r\n</html>", ["web page", "413 Request Entity Too Large", "max_image_side"] },
        { 413, "", ["said nothing", "max_image_side"] },
        { 403, "Forbidden", ["'Forbidden'", "No key was sent", "key_variable"] },
        { 503, "upstream connect error", ["upstream connect error"] },
        { 429, "slow down", ["slow down", "requests_per_minute"] },
        { 400, "{\"error\":{\"message\":\"\\u00e9t\\u00e9 \\u72d0 \\ud83e\\udd8a\"}}", ["été 狐 🦊"] },
        { 400, "a\u0007b\u001b[31mc\r\nd", ["a b [31mc d"] },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Refusal_QuotesTheServerItsAddressAndTheSettingToChange(int status, string body, string[] expected)
    {
        string message = (await FailureAsync(new ChatFault.Body(body, status))).Message;

        Assert.Contains($"status {status} from http://127.0.0.1:", message, StringComparison.Ordinal);
        Assert.Contains("/v1/chat/completions", message, StringComparison.Ordinal);
        Assert.All(expected, part => Assert.Contains(part, message, StringComparison.Ordinal));
        Assert.DoesNotContain(message, char.IsControl);
    }

    [Fact]
    public async Task Refusal_QuotesThreeHundredCharactersAndNoMore()
    {
        string message = (await FailureAsync(new ChatFault.Body(new string('a', 299) + "🦊" + new string('b', 5000), 400))).Message;

        Assert.Contains($"'{new string('a', 299)}…'", message, StringComparison.Ordinal);
        Assert.DoesNotContain("bb", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(AnswerForm.JsonSchema, "{\"error\":\"'response_format.type' must be 'text'\"}", "JsonObject or Words")]
    [InlineData(AnswerForm.JsonSchema, "{\"error\":{\"message\":\"guided_json is not supported\"}}", "JsonObject or Words")]
    [InlineData(AnswerForm.JsonObject, "{\"error\":\"'response_format.type' must be 'json_schema' or 'text'\"}", "JsonSchema or Words")]
    [InlineData(AnswerForm.JsonSchema, "{\"error\":\"'response_format.type' must be 'json_schema' or 'text'\"}", "to Words")]
    public async Task FormThatTheServerDoesNotKnow_IsAnsweredWithThoseThatItMayKnow(AnswerForm form, string body, string others)
    {
        string message = (await FailureAsync(new ChatFault.Body(body, 400), e => e with { AnswerForm = form })).Message;

        Assert.Contains("answer_form (AnswerForm in code)", message, StringComparison.Ordinal);
        Assert.Contains(others, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"error\":{\"message\":\"No endpoints found that support image input\",\"code\":404}}", 1, false, true)]
    [InlineData("{\"error\":{\"message\":\"Insufficient credits\",\"code\":402}}", 1, false, true)]
    [InlineData("{\"error\":{\"message\":\"Bad picture\",\"code\":\"400\"}}", 1, false, false)]
    [InlineData("{\"object\":\"error\",\"message\":\"Bad picture\",\"code\":400}", 1, false, false)]
    [InlineData("{\"error\":\"Unexpected endpoint or method. (POST /chat/completions)\"}", 1, false, true)]
    [InlineData(
        "{\"choices\":[{\"error\":{\"code\":400,\"message\":\"Bad picture\"},\"finish_reason\":\"error\",\"message\":{\"content\":\"\"}}]}", 1, false, false)]
    [InlineData("{\"error\":{\"message\":\"Overloaded\",\"code\":529}}", 4, true, false)]
    [InlineData("{\"error\":{\"message\":\"Rate limited\",\"code\":429}}", 4, true, false)]
    [InlineData("{\"error\":{\"message\":\"Something else\"}}", 2, false, false)]
    [InlineData("{\"detail\":\"Something else\"}", 2, false, false)]
    [InlineData("<!DOCTYPE html><html><title>Open WebUI</title></html>", 2, false, false)]
    public async Task Status200_WithAnErrorInside_IsReadByItsCode(string body, int asked, bool mayPass, bool concernsAll)
    {
        await using ChatServer server = await Asking.ServerAsync(_ => new ChatFault.Body(body));
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { Retries = 3 });

        ChatFailedException failure = Assert.IsType<ChatFailedException>((await Asking.AskManyAsync(client, 1))[0]);

        Assert.Equal((asked, mayPass, concernsAll), (server.Asked, failure.MayPass, failure.ConcernsAll));
        Assert.Contains("status 200", failure.Message, StringComparison.Ordinal);
        Assert.Contains(body, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddressWithoutItsPath_IsAnsweredWithTheLikelyOne()
    {
        await using ChatServer server = await Asking.ServerAsync();
        Uri without = new(server.Address, "/");
        using LimitedChatClient client = new(new ChatEndpoint(without, "m").CreateClient(), Asking.Quick);

        ChatFailedException failure = Assert.IsType<ChatFailedException>((await Asking.AskManyAsync(client, 1))[0]);

        Assert.True(failure.ConcernsAll);
        Assert.Contains($"'{server.Address}'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UsageOfAnAnswerThatIsNone_IsCounted()
    {
        await using ChatServer server = await Asking.ServerAsync(
            _ => new ChatFault.Body("{\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5}}"));
        ChatBudget budget = new();
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { Budget = budget });

        await Asking.AskManyAsync(client, 1);

        Assert.Equal((2, 30), (budget.Calls, budget.Tokens));
    }

    [Theory]
    [InlineData("I would rather not.", 0, "No pair was decided", "I would rather not.")]
    [InlineData("", 0, "No pair was decided", "the answer is empty")]
    [InlineData("", 400, "No pair was judged", "the picture is wrong")]
    public async Task Run_WithoutASingleVerdict_EndsWithOneAndTheCommonestReason(string answer, int status, string what, string reason)
    {
        using TemporaryFolder folder = new();
        await using ChatServer server = await Asking.ServerAsync(
            _ => status == 0 ? null : new ChatFault.Status(status, "the picture is wrong"), answer: _ => answer);
        (int code, string error) = await CurateAsync(folder, server, "4");

        Assert.Equal(1, code);
        Assert.Contains(what, error, StringComparison.Ordinal);
        Assert.Contains("4 times", error, StringComparison.Ordinal);
        Assert.Contains(reason, error[error.IndexOf(what, StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_WithOneVerdict_EndsWell()
    {
        using TemporaryFolder folder = new();
        await using ChatServer server = await Asking.ServerAsync(answer: q => q.Number == 0 ? Asking.SameVerdict.ToJson() : "no");

        Assert.Equal(0, (await CurateAsync(folder, server, "3")).Code);
    }

    private static async Task<(int Code, string Error)> CurateAsync(TemporaryFolder folder, ChatServer server, string count)
    {
        string chat = folder.File("chat.json");
        string model = $$"""{ "address": "{{server.Address}}", "model": "m", "retries": 0 }""";
        await File.WriteAllTextAsync(chat, $$"""{ "models": { "m": {{model}} }, "judge": { "ask": ["m"] } }""");
        using StringWriter error = new();
        int code = await DsdCli.Program.RunAsync(
            ["curate", "run", "--captions", "tiny", "--count", count, "--steps", "1", "--chat", chat, "--out", folder.File("run")], TextWriter.Null, error);
        return (code, error.ToString());
    }

    private static async Task<ChatFailedException> FailureAsync(ChatFault fault, Func<ChatEndpoint, ChatEndpoint>? change = null)
    {
        await using ChatServer server = await Asking.ServerAsync(_ => fault);
        ChatEndpoint endpoint = new(server.Address, "m");
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { Retries = 0 }, change?.Invoke(endpoint) ?? endpoint);
        return Assert.IsType<ChatFailedException>((await Asking.AskManyAsync(client, 1))[0]);
    }
}
