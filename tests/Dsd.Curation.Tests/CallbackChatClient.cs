using Microsoft.Extensions.AI;

namespace Dsd.Curation.Tests;

/// <summary>Answers with what the callback gives, and remembers what it was asked.</summary>
internal sealed class CallbackChatClient(Func<int, IReadOnlyList<ChatMessage>, CancellationToken, Task<string>> answer) : IChatClient
{
    private readonly Lock _lock = new();

    public CallbackChatClient(params string[] answers)
        : this((call, _, _) => Task.FromResult(answers[Math.Min(call, answers.Length - 1)]))
    {
    }

    public List<(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options)> Calls { get; } = [];

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ChatMessage[] asked = [.. messages];
        int call;
        lock (_lock)
        {
            call = Calls.Count;
            Calls.Add((asked, options));
        }
        return new ChatResponse(new ChatMessage(ChatRole.Assistant, await answer(call, asked, cancellationToken)));
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
