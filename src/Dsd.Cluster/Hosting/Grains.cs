using Dsd.Cluster.Queue;
using Dsd.Cluster.Store;

namespace Dsd.Cluster.Hosting;

/// <summary>The two grains of a cluster, by their ids: a worker does not have their classes.</summary>
internal static class Grains
{
    public static IQueueGrain Queue(IGrainFactory grains) => grains.GetGrain<IQueueGrain>(GrainId.Create(QueueGrain.Type, "0"));

    public static IStoreGrain Store(IGrainFactory grains) => grains.GetGrain<IStoreGrain>(GrainId.Create(StoreGrain.Type, "0"));
}
