namespace Dsd.Tools.Serving;

/// <summary>How a <see cref="ChatServer"/> answers.</summary>
internal sealed record ChatServerOptions
{
    /// <summary>What it answers: the content of the one message.</summary>
    public required Func<ChatQuestion, CancellationToken, Task<string>> Answer { get; init; }

    /// <summary>How long each answer takes at least.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>The fault that a request meets; null for none.</summary>
    public Func<ChatQuestion, ChatFault?> Fault { get; init; } = _ => null;

    /// <summary>Whether questions are kept in <see cref="ChatServer.Questions"/>.</summary>
    public bool Keeps { get; init; } = true;
}
