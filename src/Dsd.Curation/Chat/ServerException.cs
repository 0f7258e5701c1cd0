using System.Net;
using Microsoft.Extensions.AI;

namespace Dsd.Curation.Chat;

/// <summary>
/// A server's answer that is none: an error status, an error in place of an answer, or what cannot be read. The message is fit for people,
/// and holds no key.
/// </summary>
internal sealed class ServerException : HttpRequestException
{
    public ServerException(string message, int code, string said, Exception? inner = null)
        : base(message, inner, (HttpStatusCode)code) => (Code, Said) = (code, said);

    /// <summary>The status, or the one that stood in a body of status 200; 200 where none did.</summary>
    public int Code { get; }

    /// <summary>What the server said, without the key.</summary>
    public string Said { get; }

    /// <summary>Whether all was well with the request, but for what came: worth one more try, and no sign that the server is busy or down.</summary>
    public bool IsUnread => Code == (int)HttpStatusCode.OK;

    /// <summary>Whether it was the last try.</summary>
    public bool IsLast { get; init; }

    /// <summary>The server's <c>retry-after-ms</c>.</summary>
    public string? RetryAfterMilliseconds { get; init; }

    /// <summary>The server's <c>retry-after</c>: seconds or a date.</summary>
    public string? RetryAfter { get; init; }

    /// <summary>What it took all the same, where the server tells.</summary>
    public UsageDetails? Usage { get; init; }

    /// <summary>The same, after which there is no other try.</summary>
    public ServerException Last() => new(Message, Code, Said, this) { IsLast = true, Usage = Usage };
}
