using System.Collections.Concurrent;
using Orleans.GrainDirectory;

namespace Dsd.Cluster.Hosting;

/// <summary>
/// Where the cluster's grains are: each silo knows its own, and there is one silo that has any. Orleans' own directory is spread over all
/// members, so that a worker that is killed would take with it the way to the coordinator's grains until the others have found it dead.
/// </summary>
internal sealed class HomeDirectory : IGrainDirectory
{
    public const string Name = "home";

    private readonly ConcurrentDictionary<GrainId, GrainAddress> _here = new();

    public Task<GrainAddress?> Register(GrainAddress address) => Task.FromResult<GrainAddress?>(_here.GetOrAdd(address.GrainId, address));

    public Task Unregister(GrainAddress address)
    {
        if (_here.TryGetValue(address.GrainId, out GrainAddress? known) && known.ActivationId == address.ActivationId)
        {
            _here.TryRemove(KeyValuePair.Create(address.GrainId, known));
        }
        return Task.CompletedTask;
    }

    // At a worker nothing is found, and Orleans asks which silo may have the grain: the coordinator alone has its class.
    public Task<GrainAddress?> Lookup(GrainId grainId) => Task.FromResult(_here.GetValueOrDefault(grainId));

    public Task UnregisterSilos(List<SiloAddress> siloAddresses) => Task.CompletedTask;
}
