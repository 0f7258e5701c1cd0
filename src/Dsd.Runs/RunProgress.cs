namespace Dsd.Runs;

/// <summary>How far a run has come. What earlier runs had done counts as seen, not as done.</summary>
/// <param name="Captions">Captions seen.</param>
/// <param name="Drawn">Grids drawn.</param>
/// <param name="Judged">Pairs judged.</param>
/// <param name="Kept">Pairs kept of those.</param>
/// <param name="Failed">Pieces of work that failed.</param>
public sealed record RunProgress(long Captions, long Drawn, long Judged, long Kept, long Failed);
