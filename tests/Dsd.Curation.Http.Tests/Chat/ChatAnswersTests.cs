using System.Text.Json;
using System.Text.Json.Nodes;
using Dsd.Curation.Chat;
using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.Tools.Serving;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Http.Tests.Chat;

/// <summary>Chat completions as servers really send them, made after public reports of vLLM, llama.cpp, LM Studio, LiteLLM, OpenRouter and others.</summary>
public class ChatAnswersTests
{
    private static readonly string Verdict = Asking.SameVerdict.ToJson();
    private static readonly Picture Grey = new(8, 8, new byte[3 * 8 * 8]);

    /// <summary>Where in a right completion, and what stands there instead; nothing takes the field away.</summary>
    public static TheoryData<string, string> Odd => new()
    {
        { "choices.0.finish_reason", "null" },
        { "choices.0.finish_reason", "\"\"" },
        { "choices.0.finish_reason", "" },
        { "choices.0.finish_reason", "\"eos\"" },
        { "choices.0.finish_reason", "\"STOP\"" },
        { "choices.0.finish_reason", "7" },
        { "choices.0.finish_reason", "{\"type\":\"stop\"}" },
        { "choices.0.index", "" },
        { "choices.0.index", "\"0\"" },
        { "choices.0.logprobs", "[]" },
        { "choices.0.error", "null" },
        { "choices.0.message.role", "" },
        { "choices.0.message.role", "\"model\"" },
        { "choices.0.message.refusal", "null" },
        { "choices.0.message.refusal", "\"\"" },
        { "choices.0.message.tool_calls", "null" },
        { "choices.0.message.tool_calls", "{}" },
        { "choices.0.message.annotations", "7" },
        { "choices.0.message.audio", "\"\"" },
        { "choices.0.message.function_call", "\"none\"" },
        { "choices.0.message.reasoning_content", "\"I think so.\"" },
        { "choices.0.message.reasoning_content", "null" },
        { "choices.0.message.reasoning", "\"I think so.\"" },
        { "choices.0.message.reasoning_details", "[{\"type\":\"reasoning.text\",\"text\":\"I think so.\"}]" },
        { "choices.0.message.content", "[VERDICT]" },
        { "choices.0.message.content", "{\"type\":\"text\",\"text\":VERDICT}" },
        { "choices.0.message.content", "[{\"type\":\"text\",\"text\":VERDICT}]" },
        { "choices.0.message.content", "[{\"text\":VERDICT}]" },
        { "choices.0.message.content", "[{\"type\":\"output_text\",\"text\":VERDICT,\"annotations\":[]}]" },
        { "choices.0.message.content", "[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"I think "
            + "so.\"}]},{\"type\":\"text\",\"text\":VERDICT}]" },
        { "choices.0.message.content", "[{\"type\":\"reasoning\",\"text\":\"I think "
            + "so.\"},{\"type\":\"text\",\"text\":VERDICT},{\"type\":\"newest\"},7,null,[]]" },
        { "id", "" },
        { "id", "7" },
        { "object", "" },
        { "object", "\"text_completion\"" },
        { "created", "" },
        { "created", "null" },
        { "created", "1732000000.25" },
        { "created", "\"2024-11-19T07:06:40Z\"" },
        { "created", "1e300" },
        { "created", "-1" },
        { "model", "" },
        { "model", "null" },
        { "system_fingerprint", "7" },
        { "service_tier", "\"flex\"" },
        { "error", "null" },
        { "usage", "" },
        { "usage", "null" },
        { "usage", "[]" },
        { "usage.prompt_tokens", "10.0" },
        { "usage.prompt_tokens", "null" },
        { "usage.prompt_tokens", "" },
        { "usage.prompt_tokens", "\"10\"" },
        { "usage.prompt_tokens", "-10" },
        { "usage.completion_tokens", "1e400" },
        { "usage.completion_tokens", "2.5" },
        { "usage.total_tokens", "99999999999999999999" },
        { "usage.total_tokens", "9223372036854775807" },
        { "usage.prompt_tokens_details", "[]" },
        { "usage.prompt_tokens_details", "{\"cached_tokens\":null}" },
        { "usage.completion_tokens_details", "{\"reasoning_tokens\":1.5}" },
    };

    [Theory]
    [MemberData(nameof(Odd))]
    public async Task RightVerdict_IsTakenWhateverStandsAroundIt(string path, string value)
    {
        string body = With(path, value);

        (PairJudgement judged, ChatServer server) = await JudgeAsync(new ChatFault.Body(body));

        Assert.Equal(1, server.Asked);
        Assert.Equal((VerdictStatus.Decided, true), (judged.Status, judged.Kept));
        Assert.Equal(Verdict, judged.Verdict!.ToJson());
        JudgeVote vote = Assert.Single(judged.Votes);
        Assert.Equal(path == "model" ? null : "test-model", vote.Model);
        Assert.InRange(vote.InputTokens, 0, 10);
        Assert.InRange(vote.OutputTokens, 0, 5);
    }

    [Theory]
    [InlineData("usage.prompt_tokens", "10.0", 10, 5, 15)]
    [InlineData("usage.prompt_tokens", "1e1", 10, 5, 15)]
    [InlineData("usage.prompt_tokens", "\"10\"", 10, 5, 15)]
    [InlineData("usage.prompt_tokens", "null", 0, 5, 15)]
    [InlineData("usage.prompt_tokens", "-10", 0, 5, 15)]
    [InlineData("usage.prompt_tokens", "10.5", 0, 5, 15)]
    [InlineData("usage.completion_tokens", "1e18", 10, 0, 15)]
    [InlineData("usage.total_tokens", "", 10, 5, 15)]
    [InlineData("usage.total_tokens", "-15", 10, 5, 15)]
    [InlineData("usage.total_tokens", "1e18", 10, 5, 15)]
    [InlineData("usage.total_tokens", "0", 10, 5, 15)]
    public async Task TokenCounts_AreWholeNumbersFromNothing_AndOthersAreNotTold(string path, string value, long input, long output, long total)
    {
        ChatBudget budget = new() { MaxTokens = 1000 };

        (PairJudgement judged, _) = await JudgeAsync(new ChatFault.Body(With(path, value)), budget);

        Assert.Equal((input, output, total), (judged.Votes[0].InputTokens, judged.Votes[0].OutputTokens, budget.Tokens));
    }

    [Fact]
    public async Task ByteOrderMark_BeforeAnAnswer_IsNothing() =>
        Assert.Equal(VerdictStatus.Decided, (await JudgeAsync(new ChatFault.Body($"\ufeff{With("id", "")}"))).Judged.Status);

    [Theory]
    [InlineData(
        "choices.0.message",
        "{\"role\":\"assistant\",\"content\":null,\"refusal\":\"I cannot help with that.\"}",
        "refuses to answer: 'I cannot help with that.'")]
    [InlineData(
        "choices.0.message",
        "{\"content\":[{\"type\":\"refusal\",\"refusal\":\"I cannot help with that.\"}]}",
        "refuses to answer: 'I cannot help with that.'")]
    [InlineData("choices.0", "{\"message\":{\"content\":null},\"finish_reason\":\"content_filter\"}", "content filter")]
    [InlineData("choices.0", "{\"message\":{\"content\":\"\"},\"finish_reason\":\"SAFETY\"}", "content filter")]
    [InlineData("choices.0", "{\"message\":{\"content\":\"{\\\"subject\\\":\"},\"finish_reason\":\"length\"}", "limit of tokens (finish_reason 'length')")]
    [InlineData(
        "choices.0", "{\"message\":{\"content\":null,\"reasoning_content\":\"A fox, and\"},\"finish_reason\":\"length\"}", "in the midst of its thinking")]
    [InlineData("choices.0", "{\"message\":{\"content\":null,\"reasoning\":\"A fox, and\"},\"finish_reason\":\"stop\"}", "thinking and nothing after it")]
    [InlineData("choices.0", "{\"message\":{\"content\":null}}", "the answer is empty")]
    [InlineData("choices.0", "{\"message\":{}}", "the answer is empty")]
    [InlineData("choices.0", "{\"message\":{\"content\":[]}}", "the answer is empty")]
    [InlineData("choices.0", "{\"message\":{\"content\":[{\"type\":\"image_url\"}]}}", "the answer is empty")]
    [InlineData("choices.0.message.content", "\"\\ud83e\"", "half a surrogate pair")]
    [InlineData("choices.0.message.content", "\"<think>never\"", "thinking and nothing after it")]
    public async Task AnswerThatIsNoVerdict_IsAskedForTwice_AndNamedByItsCause(string path, string value, string cause)
    {
        (PairJudgement judged, ChatServer server) = await JudgeAsync(new ChatFault.Body(With(path, value)));

        Assert.Equal(2, server.Asked);
        Assert.Equal(VerdictStatus.Undecided, judged.Status);
        Assert.Contains(cause, judged.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(judged.Reason, c => char.IsSurrogate(c) || char.IsControl(c));
    }

    [Fact]
    public async Task Thinking_InTheContent_IsTakenOut()
    {
        (PairJudgement judged, ChatServer server) = await JudgeAsync(new ChatFault.Answer($"<think>\nBoth are toys.\n</think>\n\n{Verdict}"));

        Assert.Equal((1, VerdictStatus.Decided), (server.Asked, judged.Status));
    }

    [Fact]
    public async Task NoUtf8_IsNoAnswer()
    {
        // The server writes its text as UTF-8, so half a character has to come as an escape: what is not UTF-8 cannot be sent through it,
        // and is tried on a bare listener.
        using System.Net.Sockets.TcpListener listener = new(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        Task serving = Task.Run(async () =>
        {
            for (int i = 0; i < 2; i++)
            {
                using System.Net.Sockets.TcpClient caller = await listener.AcceptTcpClientAsync();
                System.Net.Sockets.NetworkStream stream = caller.GetStream();
                await stream.ReadAtLeastAsync(new byte[100], 100);
                byte[] body = [.. System.Text.Encoding.Latin1.GetBytes(With("choices.0.message.content", "\"caf\u00e9\""))];
                await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                    + $"{body.Length}\r\nConnection: close\r\n\r\n"));
                await stream.WriteAsync(body);
            }
        });
        using LimitedChatClient client = new(new ChatEndpoint(new Uri($"http://{listener.LocalEndpoint}/v1"), "m").CreateClient(), Asking.Quick);

        ChatFailedException failure = Assert.IsType<ChatFailedException>((await Asking.AskManyAsync(client, 1))[0]);

        Assert.Contains("not UTF-8", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.MayPass);
    }

    [Theory]
    [InlineData("Tools")]
    [InlineData("ConversationId")]
    [InlineData("audio")]
    [InlineData("role")]
    public async Task WhatTheClientDoesNotKnow_IsRefusedAndNotLeftOut(string what)
    {
        using IChatClient client = new ChatEndpoint(new Uri("http://127.0.0.1:1/v1"), "m").CreateClient();
        ChatOptions options = what switch
        {
            "Tools" => new() { Tools = [AIFunctionFactory.Create(() => 1, "one")] },
            "ConversationId" => new() { ConversationId = "c" },
            _ => new(),
        };
        ChatMessage message = what switch
        {
            "audio" => new(ChatRole.User, [new DataContent(new byte[] { 1 }, "audio/wav")]),
            "role" => new(ChatRole.Tool, "x"),
            _ => new(ChatRole.User, "x"),
        };

        Assert.Contains(
            what, (await Assert.ThrowsAsync<ArgumentException>(() => client.GetResponseAsync([message], options))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_GoUnderTheProtocolsNames()
    {
        await using ChatServer server = await Asking.ServerAsync();
        using IChatClient client = new ChatEndpoint(server.Address, "m").CreateClient();

        await client.GetResponseAsync("x", new ChatOptions
        {
            ModelId = "other",
            Instructions = "Be brief.",
            Temperature = 0.2f,
            TopP = 0.9f,
            TopK = 40,
            FrequencyPenalty = 0.5f,
            PresencePenalty = -0.5f,
            MaxOutputTokens = 900,
            Seed = 7,
            StopSequences = ["END"],
            Reasoning = new ReasoningOptions { Effort = ReasoningEffort.Low },
            ResponseFormat = ChatResponseFormat.Json,
            AdditionalProperties = new() { ["chat_template_kwargs"] = new Dictionary<string, object> { ["enable_thinking"] = false } },
        });

        JsonNode body = JsonNode.Parse(Assert.Single(server.Questions).Body.GetRawText())!;
        JsonNode expected = JsonNode.Parse("""
            {
              "model": "other", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "x"}],
              "temperature": 0.2, "top_p": 0.9, "frequency_penalty": 0.5, "presence_penalty": -0.5, "top_k": 40,
              "max_completion_tokens": 900, "seed": 7, "stop": ["END"], "reasoning_effort": "low",
              "response_format": {"type": "json_object"}, "chat_template_kwargs": {"enable_thinking": false}
            }
            """)!;
        Assert.Equal(expected.ToJsonString(), body.ToJsonString());
    }

    private static async Task<(PairJudgement Judged, ChatServer Server)> JudgeAsync(ChatFault fault, ChatBudget? budget = null)
    {
        await using ChatServer server = await Asking.ServerAsync(_ => fault);
        using LimitedChatClient client = Asking.Client(server, Asking.Quick with { Budget = budget });
        return (await new PairJudge(client).JudgeAsync(Grey, Grey), server);
    }

    private static string With(string path, string value)
    {
        JsonNode body = JsonNode.Parse($$"""
            {
              "id": "chatcmpl-1", "object": "chat.completion", "created": 1732000000, "model": "test-model",
              "choices": [{"index": 0, "message": {"role": "assistant", "content": {{JsonSerializer.Serialize(Verdict)}}}, "finish_reason": "stop"}],
              "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
            }
            """)!;
        string[] names = path.Split('.');
        JsonNode parent = names[..^1].Aggregate(body, (node, name) => int.TryParse(name, out int i) ? node[i]! : node[name]!);
        if (value.Length == 0)
        {
            parent.AsObject().Remove(names[^1]);
            return body.ToJsonString();
        }
        // Put in as it is written: a node would mend it.
        const string Place = "\"HERE\"";
        if (int.TryParse(names[^1], out int index))
        {
            parent[index] = "HERE";
        }
        else
        {
            parent[names[^1]] = "HERE";
        }
        return body.ToJsonString().Replace(
            Place, value.Replace("VERDICT", JsonSerializer.Serialize(Verdict), StringComparison.Ordinal), StringComparison.Ordinal);
    }
}
