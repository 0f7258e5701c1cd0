namespace Dsd.MLNet;

/// <summary>How far a curator has come in one pass over its input.</summary>
/// <param name="Grids">Grids judged.</param>
/// <param name="Pairs">Pairs judged on them.</param>
/// <param name="Kept">Pairs kept of those.</param>
public sealed record CurationProgress(long Grids, long Pairs, long Kept);
