using System.Security.Cryptography;
using Microsoft.Extensions.AI;

namespace Dsd.MLNet.Tests.Fakes;

/// <summary>A chat client that keeps what it is asked, pictures by their hash, and gives one answer.</summary>
internal sealed class RecordingClient(Func<int, string> answer) : IChatClient
{
    private readonly List<string> _questions = [];

    /// <summary>The questions in order of their texts: several may be asked at the same time.</summary>
    public IReadOnlyList<string> Questions
    {
        get
        {
            lock (_questions)
            {
                return [.. _questions.Order(StringComparer.Ordinal)];
            }
        }
    }

    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        int number;
        lock (_questions)
        {
            number = _questions.Count;
            _questions.Add(string.Join('\n', messages.SelectMany(m => m.Contents).Select(Described)));
        }
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, answer(number))));
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }

    private static string Described(AIContent content) => content switch
    {
        TextContent text => text.Text,
        DataContent data => $"{data.MediaType} {Convert.ToHexString(SHA256.HashData(data.Data.Span))}",
        _ => throw new NotSupportedException($"{content.GetType()}"),
    };
}
