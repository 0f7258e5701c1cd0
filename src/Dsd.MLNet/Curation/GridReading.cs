using Microsoft.ML;

namespace Dsd.MLNet.Curation;

/// <summary>How a curator reads the grids of a view.</summary>
/// <param name="Reads">The columns that it reads.</param>
/// <param name="Ahead">How many grids a cursor holds at most.</param>
/// <param name="Open">Makes, for a cursor, what reads the grid that it stands on and begins to judge it.</param>
/// <param name="Reporter">Makes, for a cursor, what receives each judged grid in turn.</param>
/// <param name="KeepFailures">Whether a value of a bad row fails when it is asked for only.</param>
internal sealed record GridReading(
    IReadOnlyList<string> Reads,
    int Ahead,
    Func<DataViewRow, Func<CancellationToken, Task<JudgedGrid>>> Open,
    Func<GridTally> Reporter,
    bool KeepFailures);
