namespace Dsd.Curation.Chat;

/// <summary>A request to a chat model failed for good: it was repeated as often as allowed, or repeating it would not help.</summary>
public sealed class ChatFailedException : Exception
{
    /// <summary>Says what failed.</summary>
    /// <param name="message">The reason, with the server's status where there is one.</param>
    /// <param name="mayPass">Whether the same request may succeed later: the server was busy, down or unreachable.</param>
    /// <param name="inner">What the client threw.</param>
    public ChatFailedException(string message, bool mayPass, Exception? inner = null)
        : base(message, inner) => MayPass = mayPass;

    /// <summary>Whether the same request may succeed later.</summary>
    public bool MayPass { get; }
}
