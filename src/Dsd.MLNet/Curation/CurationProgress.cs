namespace Dsd.MLNet;

/// <summary>How far a curator has come in one pass over its input.</summary>
/// <param name="Sheets">Sheets judged.</param>
/// <param name="Pairs">Pairs judged on them.</param>
/// <param name="Kept">Pairs kept of those.</param>
public sealed record CurationProgress(long Sheets, long Pairs, long Kept);
