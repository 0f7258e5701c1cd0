using Dsd.Curation.Judging;
using Microsoft.Extensions.AI;

namespace Dsd.MLNet.Tests.Fakes;

/// <summary>A chat client that answers each question with a verdict, from the number of the question.</summary>
internal sealed class AnsweringClient(Func<int, bool> same) : IChatClient
{
    private int _asked;

    public int Asked => _asked;

    public bool Disposed { get; private set; }

    public Func<CancellationToken, Task>? Before { get; init; }

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        int number = Interlocked.Increment(ref _asked) - 1;
        if (Before is not null)
        {
            await Before(cancellationToken);
        }
        Verdict verdict = new()
        {
            Subject = "a fox",
            DescriptionA = "a fox",
            DescriptionB = "a fox",
            Differences = same(number) ? [] : ["the scarf"],
            Same = same(number),
            Confidence = 0.9,
            Flags = [],
        };
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, verdict.ToJson()));
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose() => Disposed = true;
}
