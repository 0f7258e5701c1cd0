using Dsd.Common.Options;

namespace Dsd.Serving;

/// <summary>Who may ask for pictures over HTTP, and how much.</summary>
public sealed record DsdServingOptions
{
    /// <summary>The shortest <see cref="Token"/>.</summary>
    public const int LeastTokenCharacters = 16;

    /// <summary>
    /// What callers send as <c>Authorization: Bearer …</c>, as OpenAI's clients send their key: at least 16 visible characters of ASCII. Null, the default: no
    /// token is asked for, and only this machine is answered, under the names 127.0.0.1, localhost and [::1].
    /// </summary>
    public string? Token
    {
        get;
        init => field = value is null || (value.Length >= LeastTokenCharacters && value.All(c => c is > ' ' and <= '~'))
            ? value
            // The value is a secret: it is not said.
            : throw new ArgumentException($"Option {nameof(Token)} must have at least {LeastTokenCharacters} characters, all of them visible ones of ASCII.");
    }

    /// <summary>
    /// Whether the program itself lets through whom it wants, such as by <c>RequireAuthorization</c>; then neither <see cref="Token"/> nor the caller's address
    /// is looked at. Default false.
    /// </summary>
    public bool AppChecksCallers { get; init; }

    /// <summary>How many requests are drawn at once, 1 to 64. Default 1, as a <c>DsdImageGenerator</c> draws.</summary>
    public int AtOnce { get; init => field = OptionCheck.Range(value, 1, 64, nameof(AtOnce)); } = 1;

    /// <summary>How many more requests may wait for their turn, 0 to 1000. Those beyond are answered 429 with Retry-After. Default 8.</summary>
    public int MaxWaiting { get; init => field = OptionCheck.Range(value, 0, 1000, nameof(MaxWaiting)); } = 8;

    /// <summary>
    /// The largest request in bytes, 1024 to 536,870,912. Uploads are held in memory until they are drawn, as many as may draw and wait. Default 24 MiB.
    /// </summary>
    public int MaxRequestBytes { get; init => field = OptionCheck.Range(value, 1024, 512 << 20, nameof(MaxRequestBytes)); } = 24 << 20;

    /// <summary>The longest time that an upload may take, a second to an hour. Default a minute.</summary>
    public TimeSpan UploadTime
    {
        get;
        init => field = OptionCheck.Range(value, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), nameof(UploadTime));
    } = TimeSpan.FromMinutes(1);

    /// <summary>Whether there is a page to draw with, at the root. Default true.</summary>
    public bool ServesPage { get; init; } = true;

    internal void Validate()
    {
        if (AppChecksCallers && Token is not null)
        {
            throw new ArgumentException($"Options {nameof(Token)} and {nameof(AppChecksCallers)} exclude each other: one of them says who checks callers.");
        }
    }
}
