using System.CommandLine;
using Dsd.Common.Files;
using Dsd.Runs.Export;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd dataset preferences</c>: kept and rejected pairs of one grid, as rows for preference tuning.</summary>
internal static class DatasetPreferencesCommand
{
    public static Command Create(Terminal terminal)
    {
        Argument<string> run = new("RUNFOLDER") { Description = "The folder of a curation run." };
        Option<string> folder = new("--out") { Description = "The folder to write: absent or empty.", HelpName = "FOLDER", Required = true };
        Option<int> most = new Option<int>("--most-per-reference")
        {
            Description = "The most rows for one reference panel.",
            HelpName = "N",
            DefaultValueFactory = _ => new PreferenceOptions().MostPerReference,
        }.Between(1, 256);
        Option<int?> jpeg = new Option<int?>("--jpeg")
        {
            Description = "Write pictures as JPEG of this quality, 1 to 100; PNG if left out.",
            HelpName = "QUALITY",
        }.Between(1, 100);
        CutOptions cut = new();
        Command command = new("preferences", "Write kept and rejected pairs of one grid as rows of win and lose. Grids of two panels have none.")
        {
            run, folder, most, jpeg,
        };
        cut.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            string target = parsed.GetRequiredValue(folder);
            WritablePlace.RequireMovedFolder(target);
            PreferenceOptions options = new() { Cut = cut.Read(parsed), MostPerReference = parsed.GetValue(most), JpegQuality = parsed.GetValue(jpeg) };
            long rows = await Task.Run(() => PreferenceExport.Write(parsed.GetRequiredValue(run), target, options, cancel), cancel);
            terminal.Output.WriteLine(target);
            terminal.Error.WriteLine($"{rows} rows");
            return ExitCode.Done;
        });
        return command;
    }
}
