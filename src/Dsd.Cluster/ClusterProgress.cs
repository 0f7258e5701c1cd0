namespace Dsd.Cluster;

/// <summary>How far the workers of a cluster have come.</summary>
/// <param name="Captions">Captions that are through, those that a failure was noted of included.</param>
/// <param name="Failed">Captions with a piece of work that failed and is left for the next run.</param>
/// <param name="Leased">Captions that are with workers.</param>
/// <param name="Returned">Captions that came back from workers that died, hung or left.</param>
/// <param name="GivenUp">Captions that too many workers were lost with; left for the next run.</param>
/// <param name="Workers">Workers that have joined and not left.</param>
public sealed record ClusterProgress(long Captions, long Failed, int Leased, long Returned, long GivenUp, int Workers);
