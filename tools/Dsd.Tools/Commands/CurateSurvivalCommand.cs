using System.CommandLine;
using Dsd.Common.Files;
using Dsd.Runs;
using Dsd.Runs.Export;
using Dsd.Runs.Ledger;
using Dsd.Runs.Reports;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd curate survival</c>: how much of a run each stage and threshold leaves, and what a kept pair costs.</summary>
internal static class CurateSurvivalCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<string> path = new("FOLDER") { Description = "The run's folder; it may run meanwhile." };
        Option<string> into = new("--out") { Description = "The folder for survival.md and survival.json.", HelpName = "FOLDER", Required = true };
        Option<string?> prices = new("--prices")
        {
            Description = "A price list, JSON: {\"model\": {\"input\": 2.5, \"output\": 10}}, prices of a million tokens.",
            HelpName = "FILE.json",
        };
        CutOptions cut = new();
        Command command = new("survival", "Say what of a run each stage and each threshold leaves, and what a kept pair costs.") { path, into, prices };
        cut.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            string target = parsed.GetRequiredValue(into);
            WritablePlace.RequireFolder(target);
            PairCut? chosen = cut.Read(parsed);
            PriceList? list = parsed.GetValue(prices) is { } file ? PriceList.Load(file) : null;
            await using RunFolder folder = RunFolder.OpenToRead(parsed.GetRequiredValue(path));
            await Task.Run(() => SurvivalReport.Of(folder.Ledger, chosen, list, cancel).Write(target), cancel).ConfigureAwait(false);
            terminal.Output.WriteLine(Path.Combine(target, "survival.md"));
            return ExitCode.Done;
        });
        return command;
    }
}
