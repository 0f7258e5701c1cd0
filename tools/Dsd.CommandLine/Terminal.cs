using Spectre.Console;

namespace Dsd.CommandLine;

/// <summary>Where a command talks: results on one writer, everything else on the other.</summary>
public sealed class Terminal
{
    private readonly string _program;
    private readonly GuardedWriter _output;
    private StringWriter? _lines;

    /// <summary>A terminal of two writers.</summary>
    /// <param name="program">The program's name, which is printed before an error.</param>
    /// <param name="output">Where results go.</param>
    /// <param name="error">Where everything else goes.</param>
    public Terminal(string program, GuardedWriter output, GuardedWriter error)
    {
        (_program, _output, Error) = (program, output, error);
        (Results, Status) = (Console(output), Console(error));
    }

    /// <summary>Standard output, for results.</summary>
    public TextWriter Output => _lines ?? (TextWriter)_output;

    /// <summary>Whether the result is to be one JSON object.</summary>
    public bool AsJson { get; set; }

    /// <summary>Standard error.</summary>
    public TextWriter Error { get; }

    /// <summary>Whether standard output could not be written.</summary>
    public bool IsOutputLost => _output.Fault is not null;

    /// <summary>Standard output with tables and colours.</summary>
    public IAnsiConsole Results { get; }

    /// <summary>Standard error with progress.</summary>
    public IAnsiConsole Status { get; }

    /// <summary>A terminal that nobody reads.</summary>
    public static Terminal Nowhere(string program) => new(program, new GuardedWriter(TextWriter.Null), new GuardedWriter(TextWriter.Null));

    /// <summary>Keeps what goes to <see cref="Output"/> from now on, until <see cref="Kept"/>.</summary>
    public void Keep() => _lines = new StringWriter();

    /// <summary>The lines that were kept. What comes after goes out again.</summary>
    public IReadOnlyList<string> Kept()
    {
        string[] lines = (_lines?.ToString() ?? "").Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        _lines = null;
        return lines;
    }

    /// <summary>Prints an error, in one line.</summary>
    public void Fail(string message) => Error.WriteLine($"{_program}: {message}");

    /// <summary>Prints a warning, in one line.</summary>
    public void Warn(string message) => Error.WriteLine($"warning: {Printable.Line(message)}");

    /// <summary>Does some work and shows how far it has come: a bar on a terminal, lines elsewhere.</summary>
    /// <param name="title">What is done, in a word or two.</param>
    /// <param name="work">The work, which reports its stages as they end.</param>
    public void Track(string title, Action<IProgress<Stage>> work)
    {
        // A bar needs a cursor that can be moved, and Spectre.Console would ask the system for it where there are no escape sequences.
        if (!Status.Profile.Out.IsTerminal || !Status.Profile.Capabilities.Ansi)
        {
            work(new StageLines(Error, title));
            return;
        }
        Status.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new ElapsedTimeColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(title), maxValue: 1);
                work(new StageBar(title, task));
            });
    }

    private static IAnsiConsole Console(GuardedWriter writer)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new ConsoleOutput(writer) });
        if (!console.Profile.Out.IsTerminal)
        {
            // A pipe has no width, and a program that reads it wants a row on one line.
            console.Profile.Width = 4096;
            console.Profile.Capabilities.Ansi = false;
            console.Profile.Capabilities.Interactive = false;
        }
        if (!console.Profile.Capabilities.Ansi)
        {
            console.Profile.Capabilities.ColorSystem = ColorSystem.NoColors;
        }
        return console;
    }

    private sealed class StageBar(string title, ProgressTask task) : IProgress<Stage>
    {
        public void Report(Stage value)
        {
            task.Description = Markup.Escape($"{title}: {value.Text}");
            task.Value = value.Share;
        }
    }
}
