using System.CommandLine;
using Dsd.Runs;
using Dsd.Tools.Curate;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd curate status</c>: what a run's folder holds, also while it runs.</summary>
internal static class CurateStatusCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<string> path = new("FOLDER") { Description = "The run's folder." };
        Option<bool> json = new("--json") { Description = "Write one JSON object." };
        Command command = new("status", "Say what a run's folder holds; it may run meanwhile.") { path, json };
        command.SetAction(async (parsed, _) =>
        {
            await using RunFolder folder = RunFolder.OpenToRead(parsed.GetRequiredValue(path));
            terminal.AsJson = parsed.GetValue(json);
            RunSummary.Write(terminal, folder);
            return ExitCode.Done;
        });
        return command;
    }
}
