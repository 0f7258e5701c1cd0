using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Dsd.Cluster.Hosting;

/// <summary>Starts and stops a silo.</summary>
internal static class Joining
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Builds a silo and starts it. A worker is let in only when all members answer it, so where one of them is dead or frozen and not yet
    /// known to be so, a silo that was refused is built anew until the patience ends.
    /// </summary>
    /// <exception cref="ClusterException">The cluster cannot be joined.</exception>
    public static async Task<IHost> StartAsync(Func<IHost> build, CurationClusterOptions options, CancellationToken cancellationToken)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(options.Patience);
        while (true)
        {
            IHost host = build();
            try
            {
                if (options.Coordinator is { } endpoint)
                {
                    await KnockAsync(endpoint, patience.Token).ConfigureAwait(false);
                }
                await StartOneAsync(host, patience.Token).ConfigureAwait(false);
                return host;
            }
            catch (Exception e)
            {
                await StopAsync(host, graceful: false).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                bool ended = patience.IsCancellationRequested;
                if (ended || e is not (OrleansException or TimeoutException))
                {
                    throw Refused(options, e, ended);
                }
            }
            await Task.WhenAny(Task.Delay(Pause, patience.Token)).ConfigureAwait(false);
        }
    }

    private static async Task StartOneAsync(IHost host, CancellationToken patience)
    {
        Task<string> evicted = host.Services.GetRequiredService<Eviction>().Reason;
        Task start = host.StartAsync(patience);
        // A silo that is declared dead while it joins may never end its start.
        if (await Task.WhenAny(start, evicted).WaitAsync(patience).ConfigureAwait(false) == evicted && !start.IsCompleted)
        {
            throw new OrleansException(await evicted.ConfigureAwait(false));
        }
        await start.ConfigureAwait(false);
    }

    private static ClusterException Refused(CurationClusterOptions options, Exception e, bool ended)
    {
        string where = options.Provider != ClusterProvider.Embedded ? $"{options.Provider} (variable {options.ConnectionVariable})"
            : options.Coordinator is { } coordinator ? $"the coordinator at {coordinator}"
            : "its own port";
        string why = ended
            ? $"for {options.Patience.TotalSeconds:0} s nobody has answered, or not every member of it. "
                + "Look whether the coordinator runs and can be reached; a worker that died is forgotten within half a minute"
            : e.GetBaseException().Message.TrimEnd('.');
        return new ClusterException($"The cluster '{options.ClusterId}' cannot be joined through {where}: {why}.", ended ? null : e);
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
