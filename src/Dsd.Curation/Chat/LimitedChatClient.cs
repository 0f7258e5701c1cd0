using System.Runtime.CompilerServices;
using System.Threading.RateLimiting;
using Microsoft.Extensions.AI;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace Dsd.Curation.Chat;

/// <summary>
/// Any chat client within limits: so many requests at once and in a minute, each with a timeout, repeated with growing waits or as long as the server asks
/// (<c>Retry-After</c>), nothing sent for a while when almost everything fails, and no more than a budget allows.
/// </summary>
/// <remarks>Owns the client within. Safe to share between threads if that client is.</remarks>
public sealed class LimitedChatClient : DelegatingChatClient
{
    private readonly ChatLimits _limits;
    private readonly ResiliencePipeline<ChatResponse> _pipeline;
    private readonly RateLimiter? _rate;

    /// <summary>Limits on a client, which is disposed with this one.</summary>
    /// <param name="client">The client. Its own repeats should be off, or failures count only once it gives up.</param>
    /// <param name="limits">The limits; null for the defaults.</param>
    /// <param name="time">The clock that waits go by; null for the system's.</param>
    public LimitedChatClient(IChatClient client, ChatLimits? limits = null, TimeProvider? time = null)
        : base(client)
    {
        _limits = limits ?? new ChatLimits();
        if (_limits.RequestsPerMinute is { } most)
        {
            _rate = new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
            {
                // A request at a time, so that a minute's worth is not sent in its first second.
                TokenLimit = Math.Max(1, most / 600),
                TokensPerPeriod = Math.Max(1, most / 600),
                ReplenishmentPeriod = TimeSpan.FromMinutes(Math.Max(1, most / 600) / (double)most),
                QueueLimit = int.MaxValue,
                QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
            });
        }
        _pipeline = Pipeline(_limits, _rate, time ?? TimeProvider.System);
    }

    /// <inheritdoc/>
    /// <exception cref="ChatFailedException">The request failed for good.</exception>
    /// <exception cref="ChatBudgetException">The budget is spent.</exception>
    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ChatMessage[] asked = [.. messages];
        int attempts = 0;
        try
        {
            return await _pipeline.ExecuteAsync(
                async cancel =>
                {
                    _limits.Budget?.Take();
                    attempts++;
                    ChatResponse response = await base.GetResponseAsync(asked, options, cancel).ConfigureAwait(false);
                    _limits.Budget?.Add((response.Usage?.InputTokenCount ?? 0) + (response.Usage?.OutputTokenCount ?? 0));
                    return response;
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e) when (e is not ChatBudgetException and not ArgumentException)
        {
            throw ChatFailure.Final(e, attempts);
        }
    }

    /// <summary>As <see cref="GetResponseAsync"/>, in pieces once it is whole: an answer that breaks off is repeated, which pieces already given could not be.</summary>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ChatResponse response = await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        foreach (ChatResponseUpdate update in response.ToChatResponseUpdates())
        {
            yield return update;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _rate?.Dispose();
        }
        base.Dispose(disposing);
    }

    private static ResiliencePipeline<ChatResponse> Pipeline(ChatLimits limits, RateLimiter? rate, TimeProvider time)
    {
        PredicateBuilder<ChatResponse> mayPass = new PredicateBuilder<ChatResponse>().Handle<Exception>(ChatFailure.MayPass);
        ResiliencePipelineBuilder<ChatResponse> builder = new() { TimeProvider = time };
        builder.AddConcurrencyLimiter(limits.Concurrency, queueLimit: int.MaxValue);
        if (limits.Retries > 0)
        {
            builder.AddRetry(new RetryStrategyOptions<ChatResponse>
            {
                ShouldHandle = mayPass,
                MaxRetryAttempts = limits.Retries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = limits.Backoff,
                MaxDelay = limits.LongestWait,
                DelayGenerator = arguments => ValueTask.FromResult(
                    ChatFailure.RetryAfter(arguments.Outcome.Exception!, time.GetUtcNow()) is { } wish ? (TimeSpan?)(wish < limits.LongestWait ? wish : limits.LongestWait) : null),
            });
        }
        builder.AddCircuitBreaker(new CircuitBreakerStrategyOptions<ChatResponse>
        {
            ShouldHandle = mayPass,
            FailureRatio = limits.BreakAt,
            MinimumThroughput = 10,
            SamplingDuration = TimeSpan.FromSeconds(30),
            BreakDuration = limits.BreakFor,
        });
        if (rate is not null)
        {
            builder.AddRateLimiter(rate);
        }
        return builder.AddTimeout(limits.Timeout).Build();
    }
}
