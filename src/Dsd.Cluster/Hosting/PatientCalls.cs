using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace Dsd.Cluster.Hosting;

/// <summary>
/// Makes calls to the coordinator, and makes them again where one was lost on the way: a connection that broke, a silo whose death is not
/// yet known to all.
/// </summary>
internal sealed class PatientCalls
{
    private readonly ResiliencePipeline _pipeline;
    private readonly TimeSpan _patience;
    private readonly Eviction _eviction;

    public PatientCalls(TimeSpan patience, Eviction eviction)
    {
        (_patience, _eviction) = (patience, eviction);
        _pipeline = new ResiliencePipelineBuilder()
            .AddTimeout(patience)
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<OrleansException>().Handle<TimeoutException>(),
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                Delay = TimeSpan.FromMilliseconds(50),
                MaxDelay = TimeSpan.FromSeconds(2),
                UseJitter = true,
            })
            .Build();
    }

    /// <exception cref="ClusterException">The coordinator did not answer for too long, or this silo is no member any more.</exception>
    public async Task<T> MakeAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken = default)
    {
        try
        {
            return await _pipeline.ExecuteAsync(async stop => await OneAsync(call, stop).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutRejectedException e)
        {
            throw new ClusterException(
                $"The coordinator has not answered for {_patience.TotalSeconds:0} s. If it has ended, start it again, then this worker: "
                + "what was done is in its ledger.",
                e);
        }
    }

    // A silo that has ended answers none of its own calls, not even with a fault.
    private async Task<T> OneAsync<T>(Func<Task<T>> call, CancellationToken stop)
    {
        Task<string> gone = _eviction.Reason;
        if (!gone.IsCompleted)
        {
            Task<T> made = call();
            await Task.WhenAny(made, gone).WaitAsync(stop).ConfigureAwait(false);
            if (made.IsCompletedSuccessfully || !gone.IsCompleted)
            {
                return await made.ConfigureAwait(false);
            }
        }
        throw new ClusterException($"This silo is no member of the cluster any more: {await gone.ConfigureAwait(false)}. Start it again.");
    }

    /// <inheritdoc cref="MakeAsync{T}"/>
    public Task MakeAsync(Func<Task> call, CancellationToken cancellationToken = default) => MakeAsync(
        async () =>
        {
            await call().ConfigureAwait(false);
            return true;
        },
        cancellationToken);
}
