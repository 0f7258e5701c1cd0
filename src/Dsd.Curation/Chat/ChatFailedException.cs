namespace Dsd.Curation.Chat;

/// <summary>A request to a chat model failed for good: it was repeated as often as allowed, or repeating it would not help.</summary>
public sealed class ChatFailedException : Exception
{
    /// <summary>Says what failed.</summary>
    /// <param name="message">The reason, with the server's status where there is one.</param>
    /// <param name="mayPass">Whether the same request may succeed later: the server was busy, down or unreachable.</param>
    /// <param name="inner">What the client threw.</param>
    /// <param name="concernsAll">
    /// Whether every other request to the model would fail in the same way: the key, the model's name or the account is at fault.
    /// </param>
    public ChatFailedException(string message, bool mayPass, Exception? inner = null, bool concernsAll = false)
        : base(message, inner) => (MayPass, ConcernsAll) = (mayPass, concernsAll);

    /// <summary>Whether the same request may succeed later.</summary>
    public bool MayPass { get; }

    /// <summary>Whether every other request to the model would fail in the same way, so that there is no sense in going on.</summary>
    public bool ConcernsAll { get; }
}
