using Dsd.Common.Options;

namespace Dsd.Curation.Chat;

/// <summary>How hard a chat model's server may be pressed, and what is done when it fails: see <see cref="LimitedChatClient"/>.</summary>
public sealed record ChatLimits
{
    /// <summary>Requests that are under way at the same time, 1 to 4096; one that waits for its repeat is not. Default 16.</summary>
    public int Concurrency { get; init => field = OptionCheck.Range(value, 1, 4096, nameof(Concurrency)); } = 16;

    /// <summary>Requests begun in a minute, repeats included, 1 to 1,000,000. They are spread evenly. Null, the default: no limit.</summary>
    public int? RequestsPerMinute { get; init => field = OptionCheck.RangeOrNull(value, 1, 1_000_000, nameof(RequestsPerMinute)); }

    /// <summary>How long one request may take, 1 millisecond to an hour. Default two minutes.</summary>
    public TimeSpan Timeout
    {
        get;
        init => field = OptionCheck.Range(value, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1), nameof(Timeout));
    } = TimeSpan.FromMinutes(2);

    /// <summary>How often a request is repeated after a failure that may pass, 0 to 100. Default 6.</summary>
    public int Retries { get; init => field = OptionCheck.Range(value, 0, 100, nameof(Retries)); } = 6;

    /// <summary>The wait before the first repeat, up to an hour; it doubles each time, and is drawn at random around that. Default one second.</summary>
    public TimeSpan Backoff { get; init => field = OptionCheck.Range(value, TimeSpan.Zero, TimeSpan.FromHours(1), nameof(Backoff)); } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The longest wait before a repeat, up to a day. A server that wishes for more (<c>Retry-After</c>) is asked again after this. Default
    /// two minutes.
    /// </summary>
    public TimeSpan LongestWait
    {
        get;
        init => field = OptionCheck.Range(value, TimeSpan.Zero, TimeSpan.FromDays(1), nameof(LongestWait));
    } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// The share of failures within ten seconds, among at least ten requests, at which nothing is sent for <see cref="BreakFor"/>; 0.01 to
    /// 1. Default 0.9.
    /// </summary>
    public double BreakAt { get; init => field = OptionCheck.Range(value, 0.01, 1.0, nameof(BreakAt)); } = 0.9;

    /// <summary>
    /// How long nothing is sent once that many requests have failed, and then one request at a time until one gets through; half a second
    /// to an hour. Default 15 seconds.
    /// </summary>
    public TimeSpan BreakFor
    {
        get;
        init => field = OptionCheck.Range(value, TimeSpan.FromSeconds(0.5), TimeSpan.FromHours(1), nameof(BreakFor));
    } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long requests wait for a server that fails with almost all of them, from when that began; up to a week. After that they fail at
    /// once, until one gets through. Default ten minutes.
    /// </summary>
    public TimeSpan Patience
    {
        get;
        init => field = OptionCheck.Range(value, TimeSpan.Zero, TimeSpan.FromDays(7), nameof(Patience));
    } = TimeSpan.FromMinutes(10);

    /// <summary>What all requests together may spend. Null, the default: no limit.</summary>
    public ChatBudget? Budget { get; init; }
}
