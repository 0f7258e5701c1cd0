namespace Dsd.MLNet.Curation;

/// <summary>What judging a grid gave.</summary>
/// <param name="Judged">How many pairs were judged.</param>
/// <param name="Kept">How many of them were kept.</param>
/// <param name="Rows">The rows that it gives.</param>
internal sealed record JudgedGrid(int Judged, int Kept, IReadOnlyList<CuratedPair> Rows);
