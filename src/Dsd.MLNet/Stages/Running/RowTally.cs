using System.Diagnostics;

namespace Dsd.MLNet.Stages.Running;

/// <summary>How many rows a stage has computed in one pass and how long that took: told every ten seconds, and at the end.</summary>
/// <param name="info">Whom it is told.</param>
internal sealed class RowTally(Action<string> info)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private long _told = Stopwatch.GetTimestamp();
    private long _rows;
    private TimeSpan _took;

    /// <summary>Rows that were computed.</summary>
    public void Add(int rows, TimeSpan took)
    {
        _rows += rows;
        _took += took;
        if (Stopwatch.GetElapsedTime(_told) >= Interval)
        {
            _told = Stopwatch.GetTimestamp();
            Tell(" so far");
        }
    }

    /// <summary>The pass is over.</summary>
    public void End()
    {
        if (_rows > 0)
        {
            Tell("");
        }
        _rows = 0;
    }

    private void Tell(string state) =>
        info($"Computed {_rows} {(_rows == 1 ? "row" : "rows")}{state} in "
            + FormattableString.Invariant($"{_took.TotalSeconds:0.0} s, {_took.TotalSeconds / _rows:0.00} s a row."));
}
