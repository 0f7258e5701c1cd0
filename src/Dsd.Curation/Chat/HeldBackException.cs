namespace Dsd.Curation.Chat;

/// <summary>A request was not sent, or sent as a trial while almost all fail: it goes again after a wait, and that is no repeat of its own.</summary>
internal sealed class HeldBackException(TimeSpan wait, Exception? inner = null) : Exception(inner?.Message ?? "The server asked to be left alone.", inner)
{
    public TimeSpan Wait => wait;
}
