using System.CommandLine;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd curate</c>: from captions to judged pairs, over days if need be.</summary>
internal static class CurateCommand
{
    public static Command Create(Terminal terminal) => new("curate", "Turn captions into grids and grids into judged pairs, in a folder that outlives crashes.")
    {
        CurateRunCommand.Create(terminal),
        CurateServeCommand.Create(terminal),
        CurateWorkCommand.Create(terminal),
        CurateMergeCommand.Create(terminal),
        CurateStatusCommand.Create(terminal),
        CurateAxesCommand.Create(terminal),
        CurateSurvivalCommand.Create(terminal),
    };
}
