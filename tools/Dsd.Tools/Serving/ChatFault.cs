namespace Dsd.Tools.Serving;

/// <summary>One way in which a chat server fails a request, in place of an answer.</summary>
internal abstract record ChatFault
{
    /// <summary>An error status with a message, and <c>Retry-After</c> or another header where one is given.</summary>
    public sealed record Status(int Code, string Message = "injected", string? Header = null, string? Value = null) : ChatFault;

    /// <summary>Nothing at all, until the client goes away.</summary>
    public sealed record Hang : ChatFault;

    /// <summary>The connection is cut before the first byte.</summary>
    public sealed record Cut : ChatFault;

    /// <summary>The connection is cut after half of the body, or of the stream.</summary>
    public sealed record Half : ChatFault;

    /// <summary>A body as it is given, with a status and a type.</summary>
    public sealed record Body(string Text, int Code = 200, string Type = "application/json") : ChatFault;

    /// <summary>A chat completion whose content is this text.</summary>
    public sealed record Answer(string Text) : ChatFault;

    /// <summary>A right answer that takes this long.</summary>
    public sealed record Slow(TimeSpan Time) : ChatFault;
}
