using Dsd.Curation.Chat;
using Dsd.Curation.Judging;
using Dsd.Tools.Serving;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Http.Tests;

/// <summary>The client as a run uses it, with waits that suit a test.</summary>
internal static class Asking
{
    public static ChatLimits Quick { get; } = new()
    {
        Concurrency = 16,
        Timeout = TimeSpan.FromSeconds(20),
        Retries = 20,
        Backoff = TimeSpan.FromMilliseconds(2),
        LongestWait = TimeSpan.FromSeconds(5),
        BreakFor = TimeSpan.FromSeconds(0.5),
    };

    public static LimitedChatClient Client(ChatServer server, ChatLimits? limits = null, ChatEndpoint? endpoint = null) =>
        new((endpoint ?? new ChatEndpoint(server.Address, "test-model")).CreateClient(), limits ?? Quick);

    /// <summary>A server that answers with the same verdict always, and meets each request with the fault of its number.</summary>
    public static Task<ChatServer> ServerAsync(
        Func<ChatQuestion,
        ChatFault?>? fault = null,
        TimeSpan latency = default,
        Func<ChatQuestion,
        string>? answer = null) => ChatServer.StartAsync(new ChatServerOptions
        {
            Answer = (question, _) => Task.FromResult(answer?.Invoke(question) ?? SameVerdict.ToJson()),
            Fault = fault ?? (_ => null),
            Latency = latency,
        });

    public static Verdict SameVerdict { get; } = new()
    {
        Subject = "a toy",
        DescriptionA = "a red toy",
        DescriptionB = "a red toy",
        Differences = [],
        Same = true,
        Confidence = 0.95,
        Flags = [],
    };

    /// <summary>So many requests at the same time, and how each ended.</summary>
    public static async Task<IReadOnlyList<Exception?>> AskManyAsync(IChatClient client, int count, CancellationToken cancel = default) =>
        await Task.WhenAll(Enumerable.Range(0, count).Select(async i =>
    {
        try
        {
            ChatResponse response = await client.GetResponseAsync($"question {i}", cancellationToken: cancel);
            Assert.Equal(SameVerdict.ToJson(), response.Text);
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }));
}
