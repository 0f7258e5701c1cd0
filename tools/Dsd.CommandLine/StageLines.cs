using System.Diagnostics;

namespace Dsd.CommandLine;

/// <summary>Progress as lines, for a standard error that is no terminal: at most one every few seconds, so that a log stays short.</summary>
public sealed class StageLines(TextWriter writer, string title) : IProgress<Stage>
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private readonly Stopwatch _sinceLine = new();

    public void Report(Stage value)
    {
        if (!_sinceLine.IsRunning || _sinceLine.Elapsed >= Pause || value.Share >= 1)
        {
            writer.WriteLine($"{title}: {value.Text}");
            _sinceLine.Restart();
        }
    }
}
