using System.Diagnostics;
using Microsoft.Extensions.AI;

namespace Dsd.Tools.Benchmark;

/// <summary>A client whose time is counted, for questions that come one after the other.</summary>
internal sealed class TimedChatClient(IChatClient client) : DelegatingChatClient(client)
{
    /// <summary>The time within the client so far.</summary>
    public TimeSpan Time { get; private set; }

    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        long start = Stopwatch.GetTimestamp();
        ChatResponse response = await base.GetResponseAsync(messages, options, cancellationToken);
        Time += Stopwatch.GetElapsedTime(start);
        return response;
    }
}
