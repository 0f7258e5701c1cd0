using System.Net;
using System.Net.Sockets;
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
            if (options.Coordinator is { } endpoint)
            {
                await KnockAsync(endpoint, patience.Token).ConfigureAwait(false);
            }
            await host.StartAsync(patience.Token).WaitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await StopAsync(host, graceful: false).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            string where = options.Provider == ClusterProvider.Embedded ? options.Coordinator is { } coordinator ? $"the coordinator at {coordinator}" : "its own port" : $"{options.Provider} (variable {options.ConnectionVariable})";
            string why = e is OperationCanceledException ? $"nobody has answered for {options.Patience.TotalSeconds:0} s" : e.GetBaseException().Message;
            throw new ClusterException($"The cluster '{options.ClusterId}' cannot be joined through {where}: {why}.", e);
        }
    }

    /// <summary>Stops and releases a silo, also one that never came to run: what it says then is of no use to anyone.</summary>
    public static async ValueTask StopAsync(IHost host, bool graceful)
    {
        Eviction eviction = host.Services.GetRequiredService<Eviction>();
        bool evicted = eviction.Reason.IsCompleted;
        eviction.Tell("it was stopped");
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

    // A silo that joins before its coordinator listens loses its first call, and finds out only when that times out.
    private static async Task KnockAsync(IPEndPoint coordinator, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                using Socket socket = new(coordinator.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(coordinator, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(250), cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
