using System.Diagnostics;
using System.Globalization;
using Dsd.Dataset.Runs;

namespace Dsd.Tools.Curate;

/// <summary>How far a run has come, in a line every few seconds.</summary>
internal sealed class RunLine(Terminal terminal) : IProgress<RunProgress>
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private readonly Stopwatch _since = Stopwatch.StartNew();
    private TimeSpan _told;
    private RunProgress? _last;

    public void Report(RunProgress value)
    {
        lock (_gate)
        {
            _last = value;
            if (_since.Elapsed - _told >= Pause)
            {
                Tell();
            }
        }
    }

    /// <summary>Tells the last state.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (_last is not null)
            {
                Tell();
            }
        }
    }

    private void Tell()
    {
        RunProgress p = _last!;
        _told = _since.Elapsed;
        double pace = p.Judged / Math.Max(1, _told.TotalSeconds);
        terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"curating: {p.Captions} captions, {p.Drawn} sheets drawn, {p.Judged} pairs judged ({pace:0.0} a second), {p.Kept} kept{(p.Failed > 0 ? $", {p.Failed} failed" : "")}"));
    }
}
