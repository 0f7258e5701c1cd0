using System.Diagnostics;
using Spectre.Console;

namespace Quickstart;

/// <summary>Shows what happens: bars on a terminal, plain lines where the output goes elsewhere. Takes the time of each stage.</summary>
internal sealed class Screen
{
    private readonly ProgressContext? _bars;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly List<(string Stage, TimeSpan Time)> _timings = [];

    private Screen(ProgressContext? bars) => _bars = bars;

    /// <summary>The stages so far and how long each took.</summary>
    public IReadOnlyList<(string Stage, TimeSpan Time)> Timings => _timings;

    /// <summary>Runs work that shows its stages.</summary>
    public static T Show<T>(Func<Screen, T> work) => Console.IsOutputRedirected
        ? work(new Screen(null))
        : AnsiConsole.Progress()
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new PercentageColumn(),
                new ElapsedTimeColumn(),
                new SpinnerColumn())
            .Start(bars => work(new Screen(bars)));

    /// <summary>Runs one stage.</summary>
    public T Stage<T>(string title, Func<Stage, T> work)
    {
        TimeSpan start = _watch.Elapsed;
        Stage stage = new(_bars is null ? Lines(title) : Bar(_bars, title));
        T result = work(stage);
        stage.Done(1, 1);
        _timings.Add((title, _watch.Elapsed - start));
        return result;
    }

    private static Action<int, int> Bar(ProgressContext bars, string title)
    {
        ProgressTask task = bars.AddTask(title);
        return (done, all) =>
        {
            task.MaxValue = all;
            task.Value = done;
        };
    }

    private Action<int, int> Lines(string title)
    {
        // A line for each quarter: enough to see that it goes on.
        int said = 0;
        Say(title);
        return (done, all) =>
        {
            int quarters = 4 * done / all;
            if (quarters > said)
            {
                said = quarters;
                Say($"{title}: {25 * quarters} %");
            }
        };
    }

    private void Say(string line) => Console.WriteLine($"{_watch.Elapsed.TotalSeconds,6:0.0} s  {line}");
}
