using System.CommandLine;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd tiny</c>: the embedded model and the little world that it knows.</summary>
internal static class TinyCommand
{
    public static Command Create(Terminal terminal) => new("tiny", "The embedded model and its little world.")
    {
        TinyWorldCommand.Create(terminal),
        TinyDrawCommand.Create(terminal),
        TinyTrainCommand.Create(terminal),
        TinyReportCommand.Create(terminal),
        TinyStudyCommand.Create(terminal),
    };
}
