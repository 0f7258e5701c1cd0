using System.Diagnostics;

namespace Dsd.MLNet.Curation;

/// <summary>How far one pass of a curator has come: told to whoever asked for reports after each grid, and to the context's log at the end.</summary>
internal sealed class GridTally(Action<string> info, IProgress<CurationProgress>? told) : IDisposable
{
    private readonly long _began = Stopwatch.GetTimestamp();
    private CurationProgress _progress = new(0, 0, 0);
    private bool _ended;

    public void Add(JudgedGrid grid)
    {
        _progress = new CurationProgress(_progress.Grids + 1, _progress.Pairs + grid.Judged, _progress.Kept + grid.Kept);
        told?.Report(_progress);
    }

    public void Dispose()
    {
        if (!_ended && _progress.Grids > 0)
        {
            _ended = true;
            info(FormattableString.Invariant(
                $"Judged {_progress.Pairs} pairs of {_progress.Grids} grids, {_progress.Kept} kept, in {Stopwatch.GetElapsedTime(_began).TotalSeconds:0.0} s ")
                + "with what was drawn for it.");
        }
    }
}
