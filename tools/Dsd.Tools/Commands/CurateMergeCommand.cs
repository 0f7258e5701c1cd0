using System.CommandLine;
using Dsd.Common.Files;
using Dsd.Runs;
using Dsd.Runs.Ledger;
using Dsd.Tools.Curate;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd curate merge</c>: puts the folders of shards together.</summary>
internal static class CurateMergeCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<string> into = new("--out")
        {
            Description = "The folder that takes everything over; one of the run's own, or a new one.",
            HelpName = "FOLDER",
            Required = true,
        };
        Argument<string[]> from = new("FOLDER") { Description = "Folders of the same run, such as those of its shards.", Arity = ArgumentArity.OneOrMore };
        Command command = new("merge", "Put the folders of a run's shards together. Doing it again changes nothing.") { into, from };
        command.SetAction(async (parsed, cancel) =>
        {
            string[] folders = parsed.GetRequiredValue(from);
            if (folders.FirstOrDefault(f => !File.Exists(RunFolder.LedgerFile(f))) is { } none)
            {
                throw new FileNotFoundException($"There is no run in '{none}': it has no '{Path.GetFileName(RunFolder.LedgerFile(none))}'.");
            }
            foreach (string other in folders)
            {
                // Whether each is a run, before the target is made.
                await RunFolder.OpenToRead(other).DisposeAsync();
            }
            string target = parsed.GetRequiredValue(into);
            WritablePlace.RequireFolder(target);
            await using RunFolder folder = RunFolder.Open(target);
            foreach (string other in folders)
            {
                terminal.Error.WriteLine($"merging: {other}");
                LedgerFaults unreadable = await Task.Run(() => folder.MergeAsync(other, cancel), cancel);
                if (unreadable.Count > 0)
                {
                    terminal.Warn(unreadable.ToString());
                }
            }
            RunSummary.Write(terminal, folder);
            return ExitCode.Done;
        });
        return command;
    }
}
