using System.Diagnostics;
using Dsd.MLNet.Stages.Running;

namespace Dsd.MLNet.Curation;

/// <summary>How far one pass of a curator has come: told to whoever asked for reports after each grid, and to the context's log at the end.</summary>
internal sealed class GridTally(StageHost host, IProgress<CurationProgress>? told) : IDisposable
{
    private readonly long _began = Stopwatch.GetTimestamp();
    private CurationProgress _progress = new(0, 0, 0);
    private long _leftOut;
    private (long Row, string Fault) _first;
    private bool _ended;

    /// <summary>A grid was judged, or could not be.</summary>
    /// <param name="grid">What came of it.</param>
    /// <param name="row">Where it stands in its view.</param>
    public void Add(JudgedGrid grid, long row)
    {
        if (grid is { Fault: { } fault, Rows.Count: 0 } && _leftOut++ == 0)
        {
            _first = (row, fault);
        }
        _progress = new CurationProgress(_progress.Grids + 1, _progress.Pairs + grid.Judged, _progress.Kept + grid.Kept);
        told?.Report(_progress);
    }

    public void Dispose()
    {
        if (_ended || _progress.Grids == 0)
        {
            return;
        }
        _ended = true;
        host.Info(FormattableString.Invariant(
            $"Judged {_progress.Pairs} pairs of {_progress.Grids} grids, {_progress.Kept} kept, in {Stopwatch.GetElapsedTime(_began).TotalSeconds:0.0} s ")
            + "with what was drawn for it.");
        if (_leftOut > 0)
        {
            host.Warn($"{_leftOut} of {_progress.Grids} grids were left out. The first was row {_first.Row}: {_first.Fault}");
        }
    }
}
