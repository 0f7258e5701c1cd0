using System.Diagnostics;
using System.Globalization;
using Dsd.Cluster;

namespace Dsd.Tools.Curate;

/// <summary>How far the workers of a cluster have come, in a line every few seconds.</summary>
internal sealed class ClusterLine(Terminal terminal) : IProgress<ClusterProgress>
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private readonly Stopwatch _since = Stopwatch.StartNew();
    private TimeSpan _told;
    private ClusterProgress? _last;

    public void Report(ClusterProgress value)
    {
        lock (_gate)
        {
            _last = value;
            if (_since.Elapsed - _told >= Pause)
            {
                Tell(value);
            }
        }
    }

    /// <summary>Tells the last state.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (_last is { } last)
            {
                Tell(last);
            }
        }
    }

    private void Tell(ClusterProgress p)
    {
        _told = _since.Elapsed;
        terminal.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"serving: {p.Captions} captions through, {p.Leased} with {p.Workers} workers, {p.Returned} returned{(p.Failed > 0 ? $", {p.Failed} with failures" : "")}{(p.GivenUp > 0 ? $", {p.GivenUp} given up" : "")}"));
    }
}
