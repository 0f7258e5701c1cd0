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
    /// <summary>Whether repeating the request may help.</summary>
    public static bool MayPass(Exception e) => e switch
    {
        ClientResultException when ConcernsAll(e) => false,
        ClientResultException { Status: 0, InnerException: { } inner } => MayPass(inner),
        ClientResultException { Status: var status } => status is 0 or 408 or 409 or 425 or 429 or >= 500,
        HttpRequestException { StatusCode: { } code } => (int)code is 408 or 409 or 425 or 429 or >= 500,
        // A body that breaks off or is no JSON: the request may be well.
        HttpRequestException or IOException or JsonException or TimeoutException or TimeoutRejectedException or BrokenCircuitException => true,
        AggregateException { InnerExceptions: var all } => all.All(MayPass),
        ChatFailedException failed => failed.MayPass,
        _ => false,
    };

    /// <summary>Whether it would meet every request: a wrong key (401), an account without money (402, or 429 with these words), an unknown model or address (404). 403 may be about one picture.</summary>
    public static bool ConcernsAll(Exception e) => e switch
    {
        ClientResultException { Status: 429 } result => result.Message.Contains("insufficient_quota", StringComparison.Ordinal),
        ClientResultException { Status: var status } => status is 401 or 402 or 404,
        _ => false,
    };

    /// <summary>How long the server wants to be left alone; null where it does not say.</summary>
    public static TimeSpan? RetryAfter(Exception e, DateTimeOffset now)
    {
        if (e is not ClientResultException result || result.GetRawResponse() is not { } response)
        {
            return null;
        }
        if (Number(response, "retry-after-ms") is { } milliseconds)
        {
            return TimeSpan.FromMilliseconds(milliseconds);
        }
        if (Number(response, "retry-after") is { } seconds)
        {
            return TimeSpan.FromSeconds(seconds);
        }
        return response.Headers.TryGetValue("retry-after", out string? text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset date)
            ? date > now ? date - now : TimeSpan.Zero
            : null;
    }

    /// <summary>Whether the server asks to be left alone by all, not only by this request.</summary>
    public static bool IsBusy(Exception e) => e is ClientResultException { Status: 429 or 503 };

    /// <summary>The exception for good, in words that name the status.</summary>
    public static ChatFailedException Final(Exception e, int attempts) => new(
        $"The chat model could not be asked ({attempts switch { 0 => "not sent", 1 => "once", _ => $"{attempts} times" }}): {Words(e)}", MayPass(e), e, ConcernsAll(e));

    private static string Words(Exception e) => e switch
    {
        ClientResultException { Status: 401 or 403 } r => $"status {r.Status}: the server refuses the key. Check the key and the model's name.",
        ClientResultException { Status: > 0 } r => $"status {r.Status}: {AnswerJson.Excerpt(r.Message.ReplaceLineEndings(" "), MaxWords)}{Advice(r)}",
        TimeoutRejectedException timeout => $"no answer within {timeout.Timeout.TotalSeconds:0.#} s.",
        BrokenCircuitException { InnerException: { } last } => $"almost all requests fail, so few are sent. The last one: {Words(last)}",
        ChatFailedException => AnswerJson.Excerpt(e.Message, MaxWords),
        JsonException => $"what came back is no whole JSON: {AnswerJson.Excerpt(e.Message)}",
        _ => AnswerJson.Excerpt((e.InnerException ?? e).Message.ReplaceLineEndings(" "), MaxWords),
    };

    // A server's message is cut, but not before its point.
    private const int MaxWords = 300;

    private static string Advice(ClientResultException r) =>
        r.Status is not (400 or 422) ? ""
        : r.Message.Contains("response_format", StringComparison.OrdinalIgnoreCase) || r.Message.Contains("json_schema", StringComparison.OrdinalIgnoreCase)
            ? $" If the server does not know JSON schemas, set {nameof(ChatEndpoint.AnswerForm)} of its endpoint to {AnswerForm.JsonObject} or {AnswerForm.Words}."
        : r.Message.Contains("seed", StringComparison.OrdinalIgnoreCase) ? $" If the server does not know seeds, set {nameof(ChatEndpoint.SendSeed)} of its endpoint to false."
        : "";

    private static double? Number(PipelineResponse response, string header) =>
        response.Headers.TryGetValue(header, out string? text) && double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value <= 86_400_000
            ? value
            : null;
}
