using System.CommandLine;
using Dsd.Common.Files;
using Dsd.Lab.Measure;
using Dsd.Models.Families;
using static TorchSharp.torch;

namespace Dsd.Lab.Commands;

/// <summary><c>dsd-lab report</c>: what a teacher draws from held-out captions, and what the judge makes of it.</summary>
internal static class ReportCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<string> model = ModelOption.Create("judge and classifier");
        Option<string> folder = new("--out")
        {
            Description = "The folder for report.md, report.json and the picture sheets.",
            HelpName = "FOLDER",
            Required = true,
        };
        Option<string> device = DeviceOption.Create();
        Option<int?> subjects = new Option<int?>("--subjects")
        {
            Description = "Held-out subjects, 2 to 10000; 400 if left out, 16 with --quick.",
            HelpName = "N",
        }.Between(2, 10_000);
        Option<bool> quick = new("--quick") { Description = "A small report for two cores: fewer subjects, drawings and sampling steps." };
        Command command = new("report", "Measure what a teacher draws from captions of subjects that it never saw.") { model, folder, device, subjects, quick };
        command.SetAction(async (parsed, cancel) =>
        {
            string into = parsed.GetRequiredValue(folder);
            WritablePlace.RequireFolder(into);
            DeviceOption.RequirePresent(parsed.GetRequiredValue(device));
            string from = ModelPresets.Resolve(parsed.GetRequiredValue(model));
            TeacherReportOptions options = new()
            {
                ModelFolder = from,
                PanelSize = ModelPanels.Side(from),
                OutFolder = into,
                Device = new Device(parsed.GetRequiredValue(device)),
            };
            options = parsed.GetValue(quick) ? options with { Subjects = 16, Drawings = 200, Steps = 8 } : options;
            options = parsed.GetValue(subjects) is { } count ? options with { Subjects = count } : options;
            await Task.Run(() => TeacherReporting.Run(options, terminal.Error.WriteLine, cancel), cancel);
            terminal.Output.WriteLine(Path.Combine(into, "report.md"));
            return ExitCode.Done;
        });
        return command;
    }
}
