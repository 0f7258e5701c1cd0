using Dsd.Cluster.Hosting;
using Orleans.Concurrency;
using Orleans.GrainDirectory;

namespace Dsd.Cluster.Queue;

/// <summary>
/// The queue's face in the cluster. It keeps nothing itself, so that a second activation, as Orleans allows while members change, is no
/// second queue.
/// </summary>
[Reentrant, GrainType(Type), GrainDirectory(HomeDirectory.Name)]
internal sealed class QueueGrain(CaptionQueue queue) : Grain, IQueueGrain
{
    public const string Type = "dsd.queue";

    public Task<LeaseReply> LeaseAsync(string worker, int most) => queue.LeaseAsync(worker, most);

    public Task<QueueState> RenewAsync(string worker, string[] keys, bool hasMoved) => Task.FromResult(queue.Renew(worker, keys, hasMoved));

    public Task CompleteAsync(string worker, string key, bool whole)
    {
        queue.Complete(worker, key, whole);
        return Task.CompletedTask;
    }

    public Task LeaveAsync(string worker)
    {
        queue.Leave(worker, isLost: false);
        return Task.CompletedTask;
    }

    public Task PingAsync() => Task.CompletedTask;
}
