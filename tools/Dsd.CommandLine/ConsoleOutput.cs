using System.Text;
using Spectre.Console;

namespace Dsd.CommandLine;

/// <summary>A guarded writer as Spectre.Console wants it. The size of a terminal that has gone is a guess, not a fault.</summary>
public sealed class ConsoleOutput(GuardedWriter writer) : IAnsiConsoleOutput
{
    public TextWriter Writer => writer;

    public bool IsTerminal => writer.IsTerminal;

    public int Width => Size(() => Console.WindowWidth, 80);

    public int Height => Size(() => Console.WindowHeight, 24);

    public void SetEncoding(Encoding encoding)
    {
        // The writer has its own.
    }

    private static int Size(Func<int> read, int usual)
    {
        try
        {
            return read() is > 0 and var size ? size : usual;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or PlatformNotSupportedException or UnauthorizedAccessException)
        {
            return usual;
        }
    }
}
