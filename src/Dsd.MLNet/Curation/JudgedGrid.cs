namespace Dsd.MLNet.Curation;

/// <summary>What judging a grid gave.</summary>
/// <param name="Judged">How many pairs were judged.</param>
/// <param name="Kept">How many of them were kept.</param>
/// <param name="Rows">The rows that it gives.</param>
/// <param name="Fault">What is wrong with the grid, so that nothing was judged. Null: nothing.</param>
internal sealed record JudgedGrid(int Judged, int Kept, IReadOnlyList<CuratedPair> Rows, string? Fault = null);
