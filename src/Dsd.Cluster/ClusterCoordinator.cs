using System.Net;
using Dsd.Cluster.Hosting;
using Dsd.Cluster.Queue;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dsd.Cluster;

/// <summary>
/// The silo that has the run's folder: it hands captions out to workers and writes what they send. Each result is written once, whoever sends it and how often.
/// </summary>
/// <remarks>Whoever reaches its port can take part: it belongs into a network whose members are trusted.</remarks>
public sealed class ClusterCoordinator : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly CaptionQueue _queue;
    private readonly IRunStore _store;
    private readonly CurationClusterOptions _options;

    private ClusterCoordinator(IHost host, CaptionQueue queue, IRunStore store, CurationClusterOptions options) =>
        (_host, _queue, _store, _options) = (host, queue, store, options);

    /// <summary>Where it is reached.</summary>
    public IPEndPoint Endpoint => Silo.Endpoint;

    /// <summary>How far the workers have come.</summary>
    public ClusterProgress Progress => _queue.Counts;

    /// <summary>Captions that too many workers were lost with (<see cref="CurationClusterOptions.MostLosses"/>), so far; left for the next run.</summary>
    public IReadOnlyList<SeedCaption> GivenUp => _queue.GivenUp;

    private SiloAddress Silo => _host.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;

    /// <summary>Starts a cluster.</summary>
    /// <param name="options">Which, and where.</param>
    /// <param name="store">Where results go, usually a <see cref="RunFolder"/>. It stays the caller's.</param>
    /// <param name="captions">The captions, taken only as workers ask for them. A key must always name the same caption.</param>
    /// <param name="progress">Is called at each change, from any thread.</param>
    /// <param name="logging">Where Orleans' log goes; null for nowhere.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    /// <exception cref="ClusterException">The port is taken, Redis or the database cannot be reached, or the cluster has a coordinator already.</exception>
    public static async Task<ClusterCoordinator> StartAsync(
        CurationClusterOptions options,
        IRunStore store,
        IAsyncEnumerable<SeedCaption> captions,
        IProgress<ClusterProgress>? progress = null,
        Action<ILoggingBuilder>? logging = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(captions);
        CaptionQueue queue = new(captions, options, TimeProvider.System, progress);
        IHost host;
        try
        {
            host = await Joining.StartAsync(
                () => SiloHost.Build(options, isCoordinator: true, silo => silo.Services.AddSingleton(queue).AddSingleton(store), logging),
                options,
                cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await queue.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        ClusterCoordinator coordinator = new(host, queue, store, options);
        ISiloStatusOracle members = host.Services.GetRequiredService<ISiloStatusOracle>();
        if (members.GetApproximateSiloStatuses(onlyActive: true).Keys.FirstOrDefault(
            s => s != coordinator.Silo && members.TryGetSiloName(s, out string? name) && name == SiloHost.CoordinatorName) is { } other)
        {
            await coordinator.DisposeAsync().ConfigureAwait(false);
            throw new ClusterException(
                $"The cluster '{options.ClusterId}' has a coordinator already, at {other.Endpoint}. "
                + $"Give this one another {nameof(options.ClusterId)}; or, if that one has just died, wait until it is known to be dead.");
        }
        members.SubscribeToSiloStatusEvents(new DeadSilos(queue));
        return coordinator;
    }

    /// <summary>Waits until all captions are through and the workers have heard so. With no worker it waits for one.</summary>
    /// <param name="cancellationToken">Stops the run; the workers hear it, and what is done is in the store.</param>
    /// <returns>What became of the captions.</returns>
    /// <exception cref="IOException">The store cannot be read or written, or was taken away.</exception>
    /// <exception cref="ClusterException">This silo cannot go on.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public async Task<ClusterProgress> RunAsync(CancellationToken cancellationToken = default)
    {
        using CancellationTokenRegistration stop = cancellationToken.Register(_queue.Stop);
        Task<string> evicted = _host.Services.GetRequiredService<Eviction>().Reason;
        if (await Task.WhenAny(_queue.Done, evicted).ConfigureAwait(false) == evicted)
        {
            _queue.Fail(new ClusterException($"The coordinator is no member of its cluster any more: {await evicted.ConfigureAwait(false)}. "
                + "Start it again, then the workers."));
        }
        // Those that live ask within a heartbeat; the dead are not waited for longer than that takes.
        await Task.WhenAny(_queue.Deserted, Task.Delay(_options.LeaseTime, CancellationToken.None)).ConfigureAwait(false);
        try
        {
            await _queue.Done.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
        await _store.CheckAsync().ConfigureAwait(false);
        return _queue.Counts;
    }

    /// <summary>Works here too, beside the workers: call it together with <see cref="RunAsync"/>.</summary>
    /// <inheritdoc cref="ClusterWorker.RunAsync"/>
    public Task<RunProgress> WorkAsync(
        RunOptions run,
        IGridPromptWriter writer,
        IGridTeacher teacher,
        IPairJudge judge,
        PanelCaptioner? captioner = null,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        new LeasedRun(
            Grains.Queue(_host.Services.GetRequiredService<IGrainFactory>()),
            _store,
            Silo.ToParsableString(),
            _host.Services.GetRequiredService<Eviction>(),
            _options)
            .RunAsync(run, writer, teacher, judge, captioner, progress, cancellationToken);

    /// <summary>Ends the cluster.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Stop();
        await Joining.StopAsync(_host, graceful: true).ConfigureAwait(false);
        await _queue.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Returns what a silo held that the cluster has found dead, which may be before its leases end.</summary>
    private sealed class DeadSilos(CaptionQueue queue) : ISiloStatusListener
    {
        public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
        {
            if (status == SiloStatus.Dead)
            {
                queue.Leave(updatedSilo.ToParsableString(), isLost: true);
            }
        }
    }
}
