using Microsoft.Extensions.AI;

namespace Dsd.MLNet.LoadApp;

/// <summary>A chat client that finds every pair to show the same subject.</summary>
public sealed class SampleClient : IChatClient
{
    /// <summary>The name that it is registered under.</summary>
    public const string Name = "sample";

    /// <summary>Registers it.</summary>
    public static void Register() => ChatClients.Register(Name, () => new SampleClient());

    /// <inheritdoc/>
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        const string Answer =
            """{"subject":"a fox","description_a":"a fox","description_b":"a fox","differences":[],"same":true,"confidence":0.9,"flags":[]}""";
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, Answer)));
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
