using System.ClientModel;
using System.ClientModel.Primitives;
using System.Globalization;
using System.Text.Json;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace Dsd.Curation.Chat;

/// <summary>What a client's exception means for the request.</summary>
internal static class ChatFailure
{
    /// <summary>Whether it passes by itself: the server is busy, down or unreachable, or an answer breaks off.</summary>
    public static bool MayPass(Exception e) => e switch
    {
        _ when ConcernsAll(e) => false,
        ClientResultException { Status: 0, InnerException: { } inner } => MayPass(inner),
        ClientResultException { Status: var status } => Passes(status),
        HttpRequestException { StatusCode: { } code } => Passes((int)code),
        // A body that breaks off or is no JSON: the request may be well.
        HttpRequestException or IOException or JsonException or TimeoutException or TimeoutRejectedException or BrokenCircuitException => true,
        AggregateException { InnerExceptions: var all } => all.All(MayPass),
        ChatFailedException failed => failed.MayPass,
        _ => false,
    };

    /// <summary>
    /// Whether the request is sent again: where it may pass, and once where what came was not understood. That is no sign of a server in
    /// trouble, and was paid for.
    /// </summary>
    public static bool IsRepeated(Exception e) => MayPass(e) || e is ServerException { IsUnread: true, IsLast: false };

    /// <summary>
    /// Whether it would meet every request: a wrong key (401), an account without money (402, or 429 with these words), an unknown model or
    /// address (404). 403 may be about one picture.
    /// </summary>
    public static bool ConcernsAll(Exception e) => e switch
    {
        ServerException { Code: 429 } server => server.Said.Contains(NoMoney, StringComparison.Ordinal),
        ServerException { Code: var status } => status is 401 or 402 or 404,
        ClientResultException { Status: 429 } result => result.Message.Contains(NoMoney, StringComparison.Ordinal),
        ClientResultException { Status: var status } => status is 401 or 402 or 404,
        _ => false,
    };

    /// <summary>How long the server wants to be left alone; null where it does not say.</summary>
    public static TimeSpan? RetryAfter(Exception e, DateTimeOffset now)
    {
        (string? milliseconds, string? after) = e switch
        {
            ServerException server => (server.RetryAfterMilliseconds, server.RetryAfter),
            ClientResultException result when result.GetRawResponse() is { } response => (Header(response, "retry-after-ms"), Header(response, "retry-after")),
            _ => (null, null),
        };
        return Number(milliseconds) is { } ms ? TimeSpan.FromMilliseconds(ms)
            : Number(after) is { } seconds ? TimeSpan.FromSeconds(seconds)
            : DateTimeOffset.TryParse(
                after, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset date) ? (date > now ? date - now : TimeSpan.Zero)
            : null;
    }

    /// <summary>Whether the server asks to be left alone by all, not only by this request.</summary>
    public static bool IsBusy(Exception e) => e is ServerException { Code: 429 or 503 } or ClientResultException { Status: 429 or 503 };

    /// <summary>The exception for good, in words that name the status.</summary>
    public static ChatFailedException Final(Exception e, int attempts) => new(
        $"The chat model could not be asked ({attempts switch { 0 => "not sent", 1 => "once", _ => $"{attempts} times" }}): {Words(e)}",
        MayPass(e),
        e,
        ConcernsAll(e));

    private const string NoMoney = "insufficient_quota";

    private static bool Passes(int status) => status is 0 or 408 or 409 or 425 or 429 or >= 500;

    private static string Words(Exception e) => e switch
    {
        // Made for people, and cut where it may be.
        ServerException => e.Message,
        ClientResultException { Status: > 0 } r => $"status {r.Status}: {Cut(r.Message)}",
        TimeoutRejectedException timeout =>
            $"no answer within {timeout.Timeout.TotalSeconds:0.#} s. If the model needs longer, set timeout_seconds "
            + $"({nameof(ChatLimits.Timeout)} in code) higher.",
        BrokenCircuitException { InnerException: { } last } => $"almost all requests fail, so few are sent. The last one: {Words(last)}",
        JsonException => $"what came back is no whole JSON: {AnswerJson.Excerpt(e.Message)}",
        ChatFailedException => Cut(e.Message),
        _ => Cut((e.InnerException ?? e).Message),
    };

    private static string Cut(string words) => AnswerJson.Excerpt(words.ReplaceLineEndings(" "), ServerWords.MaxQuoted);

    private static string? Header(PipelineResponse response, string name) => response.Headers.TryGetValue(name, out string? text) ? text : null;

    // A day at most: more is no wish.
    private static double? Number(string? text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value <= 86_400_000 ? value : null;
}
