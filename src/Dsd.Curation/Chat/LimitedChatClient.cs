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
/// <remarks>
/// <para>A request that waits for its repeat takes no place of those under way. When a busy server (429, 503) says how long it wants to be
/// left alone, all requests of this client wait so long. While almost all requests fail, the others wait too, and it is no repeat of
/// theirs: a server may be away for <see cref="ChatLimits.Patience"/> and no request is lost.</para>
/// <para>Owns the client within. Safe to share between threads if that client is.</para>
/// </remarks>
public sealed class LimitedChatClient : DelegatingChatClient
{
    // Nobody notifies those who wait for a trial to end, so they look.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(0.5);

    private readonly ChatLimits _limits;
    private readonly TimeProvider _time;
    private readonly ResiliencePipeline<ChatResponse> _waiting;
    private readonly ResiliencePipeline<ChatResponse> _sending;
    private readonly RateLimiter? _rate;
    private readonly CircuitBreakerStateProvider _circuit = new();
    private readonly Lock _gate = new();
    private DateTimeOffset _quietUntil;
    private DateTimeOffset? _downSince;

    /// <summary>Limits on a client, which is disposed with this one.</summary>
    /// <param name="client">The client. Its own repeats should be off, or failures count only once it gives up.</param>
    /// <param name="limits">The limits; null for the defaults.</param>
    /// <param name="time">The clock that waits go by, but for the rate's; null for the system's.</param>
    public LimitedChatClient(IChatClient client, ChatLimits? limits = null, TimeProvider? time = null)
        : base(client)
    {
        (_limits, _time) = (limits ?? new ChatLimits(), time ?? TimeProvider.System);
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
        (_waiting, _sending) = (Waiting(), Sending());
    }

    /// <inheritdoc/>
    /// <exception cref="ChatFailedException">The request failed for good.</exception>
    /// <exception cref="ChatBudgetException">The budget is spent.</exception>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ChatMessage[] asked = [.. messages];
        (int attempts, int unread) = (0, 0);
        try
        {
            return await _waiting.ExecuteAsync(
                async cancel =>
                {
                    CheckQuiet();
                    bool trial = _circuit.CircuitState != CircuitState.Closed;
                    try
                    {
                        return await _sending.ExecuteAsync(
                            async within =>
                            {
                                _limits.Budget?.Take();
                                attempts++;
                                try
                                {
                                    return await AskAsync(asked, options, within).ConfigureAwait(false);
                                }
                                catch (ServerException e) when (e.IsUnread && ++unread > 1)
                                {
                                    throw e.Last();
                                }
                            },
                            cancel).ConfigureAwait(false);
                    }
                    catch (BrokenCircuitException e)
                    {
                        // With a trial under way, what is left of the break says nothing.
                        throw new HeldBackException(_circuit.CircuitState == CircuitState.Open && e.RetryAfter is { } closed ? closed : Look, e);
                    }
                    catch (Exception e) when (ChatFailure.MayPass(e))
                    {
                        NoteQuiet(e);
                        if (trial)
                        {
                            throw new HeldBackException(_limits.BreakFor, e);
                        }
                        throw;
                    }
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e) when (e is not ChatBudgetException and not ArgumentException)
        {
            throw ChatFailure.Final(e is HeldBackException { InnerException: { } why } ? why : e, attempts);
        }
    }

    /// <summary>
    /// As <see cref="GetResponseAsync"/>, in pieces once it is whole: an answer that breaks off is repeated, which pieces already given
    /// could not be.
    /// </summary>
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

    private async Task<ChatResponse> AskAsync(ChatMessage[] messages, ChatOptions? options, CancellationToken cancel)
    {
        ChatResponse response;
        try
        {
            response = await base.GetResponseAsync(messages, options, cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new TimeoutException("The client gave up waiting for an answer.", e);
        }
        catch (ServerException e) when (e.Usage is { } usage)
        {
            _limits.Budget?.Add(usage);
            throw;
        }
        _limits.Budget?.Add(response.Usage);
        return response;
    }

    /// <summary>What a request goes through before it may be sent, and after it failed.</summary>
    private ResiliencePipeline<ChatResponse> Waiting()
    {
        ResiliencePipelineBuilder<ChatResponse> builder = new() { TimeProvider = _time };
        if (_limits.Retries > 0)
        {
            builder.AddRetry(new RetryStrategyOptions<ChatResponse>
            {
                ShouldHandle = new PredicateBuilder<ChatResponse>().Handle<Exception>(ChatFailure.IsRepeated),
                MaxRetryAttempts = _limits.Retries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = _limits.Backoff,
                MaxDelay = _limits.LongestWait,
                DelayGenerator = arguments => ValueTask.FromResult(Wish(arguments.Outcome.Exception!)),
            });
        }
        builder.AddRetry(new RetryStrategyOptions<ChatResponse>
        {
            ShouldHandle = new PredicateBuilder<ChatResponse>().Handle<HeldBackException>(e => e.InnerException is null || IsPatient()),
            MaxRetryAttempts = int.MaxValue,
            DelayGenerator = arguments => ValueTask.FromResult((TimeSpan?)((HeldBackException)arguments.Outcome.Exception!).Wait),
        });
        builder.AddConcurrencyLimiter(_limits.Concurrency, queueLimit: int.MaxValue);
        if (_rate is not null)
        {
            builder.AddRateLimiter(_rate);
        }
        return builder.Build();
    }

    private ResiliencePipeline<ChatResponse> Sending() => new ResiliencePipelineBuilder<ChatResponse> { TimeProvider = _time }
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions<ChatResponse>
        {
            ShouldHandle = new PredicateBuilder<ChatResponse>().Handle<Exception>(ChatFailure.MayPass),
            FailureRatio = _limits.BreakAt,
            MinimumThroughput = 10,
            // Short, so that a server's end shows before the repeats of those who met it are used up.
            SamplingDuration = TimeSpan.FromSeconds(10),
            BreakDuration = _limits.BreakFor,
            StateProvider = _circuit,
            OnOpened = _ => Down(_time.GetUtcNow()),
            OnClosed = _ => Down(null),
        })
        .AddTimeout(_limits.Timeout)
        .Build();

    private TimeSpan? Wish(Exception e) =>
        ChatFailure.RetryAfter(e, _time.GetUtcNow()) is { } wish ? (wish < _limits.LongestWait ? wish : _limits.LongestWait) : null;

    private void NoteQuiet(Exception e)
    {
        if (ChatFailure.IsBusy(e) && Wish(e) is { } wish)
        {
            lock (_gate)
            {
                DateTimeOffset until = _time.GetUtcNow() + wish;
                _quietUntil = until > _quietUntil ? until : _quietUntil;
            }
        }
    }

    private void CheckQuiet()
    {
        lock (_gate)
        {
            TimeSpan left = _quietUntil - _time.GetUtcNow();
            if (left > TimeSpan.Zero)
            {
                throw new HeldBackException(left);
            }
        }
    }

    private ValueTask Down(DateTimeOffset? since)
    {
        lock (_gate)
        {
            _downSince = since is null ? null : _downSince ?? since;
        }
        return default;
    }

    private bool IsPatient()
    {
        lock (_gate)
        {
            return _downSince is null || _time.GetUtcNow() - _downSince < _limits.Patience;
        }
    }
}
