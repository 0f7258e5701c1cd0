using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dsd.Cluster.Hosting;

/// <summary>Starts and stops a silo.</summary>
internal static class Joining
{
    /// <exception cref="ClusterException">The cluster cannot be joined.</exception>
    public static async Task StartAsync(IHost host, CurationClusterOptions options, CancellationToken cancellationToken)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(options.Patience);
        try
        {
            await host.StartAsync(patience.Token).WaitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await StopAsync(host, graceful: false).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            string where = options.Provider == ClusterProvider.Embedded ? options.Coordinator is { } coordinator ? $"the coordinator at {coordinator}" : "its own port" : $"{options.Provider} (variable {options.ConnectionVariable})";
            throw new ClusterException($"The cluster '{options.ClusterId}' cannot be joined through {where}: {e.GetBaseException().Message}", e);
        }
    }

    /// <summary>Stops and releases a silo, also one that never came to run: what it says then is of no use to anyone.</summary>
    public static async ValueTask StopAsync(IHost host, bool graceful)
    {
        bool evicted = host.Services.GetRequiredService<Eviction>().Reason.IsCompleted;
        using CancellationTokenSource now = new();
        // Who says goodbye does not wait for ever; who is dead already says none.
        now.CancelAfter(graceful && !evicted ? TimeSpan.FromSeconds(5) : TimeSpan.Zero);
        try
        {
            await host.StopAsync(now.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or OrleansException or TimeoutException or InvalidOperationException or AggregateException)
        {
        }
        if (host is IAsyncDisposable disposable)
        {
            await disposable.DisposeAsync().ConfigureAwait(false);
        }
    }
}
