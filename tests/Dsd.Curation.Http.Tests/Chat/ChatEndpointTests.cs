using System.Text.Json;
using Dsd.Curation.Chat;
using Dsd.Tools.Serving;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Http.Tests.Chat;

public sealed class ChatEndpointTests : IDisposable
{
    private const string Key = "sk-secret-zqxj-never-to-be-seen";
    private readonly string _variable = $"DSD_TEST_KEY_{Guid.NewGuid():N}";

    public ChatEndpointTests() => Environment.SetEnvironmentVariable(_variable, Key);

    public void Dispose() => Environment.SetEnvironmentVariable(_variable, null);

    [Fact]
    public async Task Key_ComesFromItsVariableAndGoesAsABearer()
    {
        ChatQuestion asked = await AskedAsync(e => e with { KeyVariable = _variable });

        Assert.Equal($"Bearer {Key}", asked.Headers["authorization"]);
        Assert.Equal("test-model", asked.Model);
    }

    [Fact]
    public async Task Key_UnderAHeaderOfItsOwn_GoesNowhereElse()
    {
        ChatQuestion asked = await AskedAsync(e => e with { KeyVariable = _variable, KeyHeader = "api-key" });

        Assert.Equal(Key, asked.Headers["api-key"]);
        Assert.DoesNotContain("authorization", asked.Headers.Keys);
    }

    [Fact]
    public async Task WithoutAVariable_NoKeyIsSent() =>
        Assert.DoesNotContain((await AskedAsync(e => e)).Headers.Keys, name => name is "authorization" or "api-key");

    [Fact]
    public void Key_WhoseVariableIsMissing_IsToldByTheVariablesName()
    {
        ChatEndpoint endpoint = new(new Uri("http://127.0.0.1:1/v1"), "m") { KeyVariable = "DSD_NO_SUCH_VARIABLE" };

        Assert.Contains("DSD_NO_SUCH_VARIABLE", Assert.Throws<InvalidOperationException>(() => endpoint.CreateClient()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(500)]
    public async Task Key_ThatTheServerSendsBack_AppearsInNoErrorMessage(int status)
    {
        await using ChatServer server = await Asking.ServerAsync(_ => new ChatFault.Status(status, $"Incorrect API key provided: {Key}."));
        ChatEndpoint endpoint = new(server.Address, "m") { KeyVariable = _variable };
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { Retries = 0 }, endpoint);

        Exception failure = (await Asking.AskManyAsync(client, 1))[0]!;

        Assert.Contains($"status {status}", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Key, endpoint.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ftp://a/v1")]
    [InlineData("https://me:secret@a/v1")]
    [InlineData("https://a/v1?api-version=1")]
    public void Address_OfAnotherKind_IsRefusedWithoutItsPassword(string address)
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() => new ChatEndpoint(new Uri(address), "m"));

        Assert.Contains("Address", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(AnswerForm.JsonSchema, "json_schema", false)]
    [InlineData(AnswerForm.JsonObject, "json_object", true)]
    [InlineData(AnswerForm.Words, null, true)]
    public async Task AnswerForm_SaysHowTheServerIsToldTheForm(AnswerForm form, string? type, bool inWords)
    {
        ChatQuestion asked = await AskedAsync(e => e with { AnswerForm = form });

        Assert.Equal(type, asked.Body.TryGetProperty("response_format", out JsonElement format) ? format.GetProperty("type").GetString() : null);
        string instructions = Assert.Single(asked.Texts("system"));
        Assert.StartsWith("Be brief.", instructions, StringComparison.Ordinal);
        Assert.Equal(inWords, instructions.Contains("\"marker\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Seed_IsSentUnlessTheServerDoesNotKnowIt(bool send) =>
        Assert.Equal(send, (await AskedAsync(e => e with { SendSeed = send })).Body.TryGetProperty("seed", out _));

    [Theory]
    [InlineData("Unknown parameter: 'response_format.json_schema'", "AnswerForm")]
    [InlineData("extra fields not permitted: seed", "SendSeed")]
    public async Task Refusal_OfAFieldThatNotAllServersKnow_SaysWhichOptionHelps(string message, string option)
    {
        await using ChatServer server = await Asking.ServerAsync(_ => new ChatFault.Status(400, message));
        using LimitedChatClient client = Asking.Client(server);

        ChatFailedException failure = Assert.IsType<ChatFailedException>((await Asking.AskManyAsync(client, 1))[0]);

        Assert.False(failure.MayPass);
        Assert.Contains(option, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_ComesInPieces_AndHalfAStreamIsNoAnswer()
    {
        await using ChatServer server = await Asking.ServerAsync(q => q.Number == 1 ? new ChatFault.Half() : null);
        using IChatClient client = new ChatEndpoint(server.Address, "m").CreateClient();

        List<string> pieces = [];
        await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync("hello"))
        {
            pieces.Add(update.Text);
        }
        Assert.Equal(Asking.SameVerdict.ToJson(), string.Concat(pieces));
        Assert.True(pieces.Count(p => p.Length > 0) > 2);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await foreach (ChatResponseUpdate _ in client.GetStreamingResponseAsync("hello"))
            {
            }
        });
        using LimitedChatClient limited = new(new ChatEndpoint(server.Address, "m").CreateClient(), Asking.Quick);
        Assert.Equal(Asking.SameVerdict.ToJson(), (await limited.GetStreamingResponseAsync("hello").ToChatResponseAsync()).Text);
    }

    private static async Task<ChatQuestion> AskedAsync(Func<ChatEndpoint, ChatEndpoint> change)
    {
        await using ChatServer server = await Asking.ServerAsync();
        using LimitedChatClient client = Asking.Client(server, endpoint: change(new ChatEndpoint(server.Address, "test-model")));
        using JsonDocument schema = JsonDocument.Parse(
            """{"type": "object", "additionalProperties": false, "required": ["marker"], "properties": {"marker": {"type": "string"}}}""");
        ChatOptions options = new() { Seed = 5, ResponseFormat = ChatResponseFormat.ForJsonSchema(schema.RootElement, "form") };
        await client.GetResponseAsync([new ChatMessage(ChatRole.System, "Be brief."), new ChatMessage(ChatRole.User, "hello")], options);
        return Assert.Single(server.Questions);
    }
}
