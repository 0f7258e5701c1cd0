using Dsd.Cluster.Hosting;
using Dsd.Cluster.Queue;
using Dsd.Cluster.Store;
using Dsd.Curation.Chat;
using Dsd.Curation.Grids;
using Dsd.Curation.Judging;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace Dsd.Cluster;

/// <summary>
/// A silo that works for a coordinator: it leases captions, writes their prompts, draws, judges, and sends what comes of it. It keeps
/// nothing, so it may be lost at any moment.
/// </summary>
public sealed class ClusterWorker : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly CurationClusterOptions _options;
    private SharedBudget? _budget;

    private ClusterWorker(IHost host, CurationClusterOptions options) => (_host, _options) = (host, options);

    /// <summary>What the cluster calls this worker: its address and when it started.</summary>
    public string Name => _host.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress.ToParsableString();

    /// <summary>Joins a cluster.</summary>
    /// <param name="options">Which, and where.</param>
    /// <param name="logging">Where Orleans' log goes; null for nowhere.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    /// <exception cref="ClusterException">The cluster cannot be joined within <see cref="CurationClusterOptions.Patience"/>.</exception>
    public static async Task<ClusterWorker> StartAsync(
        CurationClusterOptions options, Action<ILoggingBuilder>? logging = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        // Only the coordinator has the folder: its grains are never made here.
        IHost host = await Joining.StartAsync(
            () =>
                SiloHost.Build(
                    options,
                    isCoordinator: false,
                    silo => silo.Configure<GrainTypeOptions>(o => o.Classes.RemoveWhere(c => c == typeof(QueueGrain) || c == typeof(StoreGrain))),
                    logging),
            options,
            cancellationToken).ConfigureAwait(false);
        try
        {
            // A silo that has just joined does not know at once which others there are.
            await new PatientCalls(
                options.Patience,
                host.Services.GetRequiredService<Eviction>()).MakeAsync(
                    Grains.Queue(host.Services.GetRequiredService<IGrainFactory>()).PingAsync, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await Joining.StopAsync(host, graceful: true).ConfigureAwait(false);
            throw;
        }
        return new ClusterWorker(host, options);
    }

    /// <summary>Works until all captions are through.</summary>
    /// <param name="run">What to do; the same as all others of the cluster, but for how much at once.</param>
    /// <param name="writer">Writes prompts.</param>
    /// <param name="teacher">Draws grids.</param>
    /// <param name="judge">Judges pairs.</param>
    /// <param name="captioner">Captions each panel by what it shows; null takes the text that the grid was drawn from.</param>
    /// <param name="progress">Is called after each piece of work, from any thread.</param>
    /// <param name="cancellationToken">Stops the work; what this worker holds returns to the others.</param>
    /// <returns>What this worker did.</returns>
    /// <exception cref="ClusterException">The coordinator does not answer, has been stopped, or has declared this worker dead.</exception>
    /// <exception cref="LedgerException">The coordinator's folder was begun with other options.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public Task<RunProgress> RunAsync(
        RunOptions run,
        IGridPromptWriter writer,
        IGridTeacher teacher,
        IPairJudge judge,
        PanelCaptioner? captioner = null,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        IQueueGrain queue = Grains.Queue(_host.Services.GetRequiredService<IGrainFactory>());
        return new LeasedRun(
            queue, Store(), Name, _host.Services.GetRequiredService<Eviction>(), _options)
        { Leaving = () => _budget?.NoteNowAsync() ?? Task.CompletedTask }
            .RunAsync(run, writer, teacher, judge, captioner, progress, cancellationToken);
    }

    /// <summary>
    /// Keeps one budget for all workers of the run and all of its sessions, in the coordinator's ledger. Dispose it after the run and
    /// before this worker.
    /// </summary>
    /// <param name="budget">What this worker's models count in.</param>
    /// <exception cref="ClusterException">The coordinator does not answer.</exception>
    public async Task<SharedBudget> ShareBudgetAsync(ChatBudget budget) => _budget = await SharedBudget.StartAsync(Store(), budget).ConfigureAwait(false);

    /// <summary>Leaves the cluster.</summary>
    public ValueTask DisposeAsync() => Joining.StopAsync(_host, graceful: true);

    /// <summary>Goes without a word, as a process that is killed does.</summary>
    internal ValueTask KillAsync() => Joining.StopAsync(_host, graceful: false);

    private GrainRunStore Store() =>
        new(
            Grains.Store(_host.Services.GetRequiredService<IGrainFactory>()),
            new PatientCalls(_options.Patience, _host.Services.GetRequiredService<Eviction>()),
            _options);
}
