using System.Diagnostics;

namespace Dsd.Tools.Curate;

/// <summary>How far long work has come, in a line every few seconds.</summary>
/// <param name="terminal">Where the lines go.</param>
/// <param name="text">Makes a line of a state and the time since the beginning.</param>
/// <param name="firstAtOnce">Whether the first state is told as it comes, since those after it may be long in coming.</param>
internal sealed class ProgressLine<T>(Terminal terminal, Func<T, TimeSpan, string> text, bool firstAtOnce = false) : IProgress<T>
    where T : class
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private readonly Stopwatch _since = Stopwatch.StartNew();
    private TimeSpan _shown = firstAtOnce ? -Pause : TimeSpan.Zero;
    private T? _last;
    private T? _told;

    public void Report(T value)
    {
        lock (_gate)
        {
            _last = value;
            if (_since.Elapsed - _shown >= Pause)
            {
                Tell(value);
            }
        }
    }

    /// <summary>Tells the last state, unless it was told as it came.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (_last is { } last && !ReferenceEquals(last, _told))
            {
                Tell(last);
            }
        }
    }

    private void Tell(T value)
    {
        (_shown, _told) = (_since.Elapsed, value);
        terminal.Error.WriteLine(text(value, _shown));
    }
}
