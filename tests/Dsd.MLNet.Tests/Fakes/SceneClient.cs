using Microsoft.Extensions.AI;

namespace Dsd.MLNet.Tests.Fakes;

/// <summary>A chat client that invents a grid of two scenes.</summary>
internal sealed class SceneClient : IChatClient
{
    private int _asked;

    public bool Disposed { get; private set; }

    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(Disposed, this);
        int number = Interlocked.Increment(ref _asked);
        string answer = $$"""{"sheets":[{"subject":"a fox {{number}}","scenes":["on the moon","at sea"]}]}""";
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, answer)));
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose() => Disposed = true;
}
