using Dsd.Runs.Ledger;

namespace Dsd.Cluster.Queue;

/// <summary>What a worker is given to do.</summary>
/// <param name="Captions">
/// Captions that are its own until it tells that they are through, or is not heard of for the lease time; none where the last ones are with
/// others.
/// </param>
/// <param name="State">Whether more may come.</param>
[GenerateSerializer]
internal sealed record LeaseReply([property: Id(0)] SeedCaption[] Captions, [property: Id(1)] QueueState State);
