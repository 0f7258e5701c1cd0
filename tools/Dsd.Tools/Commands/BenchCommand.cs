using System.CommandLine;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd bench</c>: how fast things are on this machine.</summary>
internal static class BenchCommand
{
    public static Command Create(Terminal terminal) => new("bench", "Measure how fast things are on this machine.")
    {
        BenchFluxCommand.Create(terminal),
        BenchGenerateCommand.Create(terminal),
        BenchTrainCommand.Create(terminal),
        BenchCurationCommand.Create(terminal),
        BenchModelCommand.Create(terminal),
        BenchCurationServerCommand.Create(terminal),
    };
}
