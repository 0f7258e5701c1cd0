using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Dsd.Tiny.Judge;

/// <summary>What the embedded judge and evaluator have in common as chat models: an answer that comes at once, from a model of a name.</summary>
internal static class LocalChat
{
    /// <summary>An answer.</summary>
    public static ChatResponse Answer(ChatClientMetadata metadata, string text) => new(new ChatMessage(ChatRole.Assistant, text))
    {
        ModelId = metadata.DefaultModelId,
        FinishReason = ChatFinishReason.Stop,
        CreatedAt = DateTimeOffset.UtcNow,
    };

    /// <summary>An answer in one piece, for those who ask for a stream.</summary>
    public static async IAsyncEnumerable<ChatResponseUpdate> Stream(
        Task<ChatResponse> answer, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (ChatResponseUpdate update in (await answer.WaitAsync(cancellationToken).ConfigureAwait(false)).ToChatResponseUpdates())
        {
            yield return update;
        }
    }

    /// <summary>The services of a client that wraps none: its metadata and itself.</summary>
    public static object? Service(IChatClient client, ChatClientMetadata metadata, Type serviceType, object? serviceKey)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null : serviceType == typeof(ChatClientMetadata) ? metadata : serviceType.IsInstanceOfType(client) ? client : null;
    }
}
