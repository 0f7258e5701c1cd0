using System.CommandLine;
using System.Text.Json;
using Dsd.Runs;
using Dsd.Tools.Curate;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd curate status</c>: what a run's folder holds, also while it runs.</summary>
internal static class CurateStatusCommand
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true };

    public static Command Create(Terminal terminal)
    {
        Argument<string> path = new("FOLDER") { Description = "The run's folder." };
        Option<bool> json = new("--json") { Description = "Write one JSON object." };
        Command command = new("status", "Say what a run's folder holds; it may run meanwhile.") { path, json };
        command.SetAction(async (parsed, _) =>
        {
            await using RunFolder folder = RunFolder.OpenToRead(parsed.GetRequiredValue(path));
            if (parsed.GetValue(json))
            {
                terminal.Output.WriteLine(
                    JsonSerializer.Serialize(
                        new { counts = folder.Ledger.Counts(), usage = folder.Ledger.Usage(), unreadable = folder.Ledger.Faults() }, Json));
            }
            else
            {
                RunSummary.Write(terminal, folder);
            }
            return ExitCode.Done;
        });
        return command;
    }
}
