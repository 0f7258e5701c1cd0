namespace Dsd.Cluster.Queue;

/// <summary>The queue of a run, as workers see it. All calls may be repeated: a reply that was lost does no harm.</summary>
[Alias("dsd.queue")]
internal interface IQueueGrain : IGrainWithIntegerKey
{
    /// <summary>Gives captions to a worker.</summary>
    [Alias("lease")]
    Task<LeaseReply> LeaseAsync(string worker, int most);

    /// <summary>A worker lives and holds these captions. Others that it was given, in a reply that it never got, say, are not kept for it.</summary>
    /// <param name="worker">Which.</param>
    /// <param name="keys">What it holds.</param>
    /// <param name="hasMoved">Whether any piece of work has ended since its last call.</param>
    [Alias("renew")]
    Task<QueueState> RenewAsync(string worker, string[] keys, bool hasMoved);

    /// <summary>Nothing of a caption is under way any more. Left out where the worker does not hold it now: whoever does will tell.</summary>
    [Alias("complete")]
    Task CompleteAsync(string worker, string key, bool whole);

    /// <summary>A worker goes; what it holds returns at once.</summary>
    [Alias("leave")]
    Task LeaveAsync(string worker);

    /// <summary>Answers: the coordinator is there.</summary>
    [Alias("ping")]
    Task PingAsync();
}
