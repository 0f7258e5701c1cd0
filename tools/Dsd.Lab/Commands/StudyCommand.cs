using System.CommandLine;
using Dsd.Common.Files;
using Dsd.Lab.Measure;
using Dsd.Lab.Study;
using Dsd.Models.Families;
using Dsd.Tiny;

namespace Dsd.Lab.Commands;

/// <summary><c>dsd-lab study</c>: the paper's experiment in miniature, resumable.</summary>
internal static class StudyCommand
{
    private const double MostMinutes = 100_000;

    public static Command Create(Terminal terminal)
    {
        Option<string> folder = new("--out")
        {
            Description = "The folder for grids, systems and results; a study that was interrupted continues in it.",
            HelpName = "FOLDER",
            Required = true,
        };
        Option<string> model = ModelOption.Create("judge and classifier");
        Option<string> device = DeviceOption.Create(several: true);
        Option<double?> minutes = new Option<double?>("--minutes")
        {
            Description = "Write the state and stop after so long.",
            HelpName = "N",
        }.Between(0, MostMinutes);
        Option<long?> seed = new("--seed") { Description = "Where all random numbers start, in place of the config's seed.", HelpName = "N" };
        StudySizeOptions size = new("A small study for two cores: the model's own student and text alone, with nothing trained.");
        Option<string[]> only = new("--only")
        {
            Description = $"Only these parts, separated by commas, and no report; out of {string.Join(", ", TinyStudy.PartNames)}.",
            HelpName = "NAME,NAME",
            CustomParser = result => [.. result.Tokens.SelectMany(t => t.Value.Split(',', StringSplitOptions.TrimEntries))],
        };
        only.Validators.Add(result =>
        {
            string[] named = result.GetValueOrDefault<string[]>() ?? [];
            if (!named.All(TinyStudy.PartNames.Contains))
            {
                result.AddError($"Option '--only' must name some of {string.Join(", ", TinyStudy.PartNames)}, but is '{string.Join(',', named)}'.");
            }
        });
        Command command = new("study", "Run the paper's experiment in miniature: ten systems on held-out subjects, and relighting.")
        {
            folder,
            model,
            device,
            minutes,
            seed,
            only,
        };
        size.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            string into = parsed.GetRequiredValue(folder);
            WritablePlace.RequireFolder(into);
            DeviceOption.RequirePresent(parsed.GetRequiredValue(device));
            string from = ModelPresets.Resolve(parsed.GetRequiredValue(model));
            if (ModelPanels.Side(from) is var side && side != TinyModel.PanelSize)
            {
                throw new ArgumentException(
                    $"The study draws pictures of {TinyModel.PanelSize} pixels a side, but the classifier of '{from}' reads {side}. 'report', 'look' and "
                        + "'measure' take models of any size.");
            }
            StudyOptions options = new()
            {
                OutFolder = into,
                ModelFolder = from,
                Device = parsed.GetRequiredValue(device),
                Time = parsed.GetValue(minutes) is { } m ? TimeSpan.FromMinutes(m) : null,
                Seed = parsed.GetValue(seed),
                ConfigFile = size.ConfigFile(parsed),
                Only = parsed.GetValue(only) ?? [],
            };
            bool done = await Task.Run(() => TinyStudy.Run(options, terminal.Error.WriteLine, cancel), cancel);
            if (done && options.Only.Count == 0)
            {
                terminal.Output.WriteLine(Path.Combine(into, "results.json"));
                terminal.Output.WriteLine(Path.Combine(into, "results.md"));
                terminal.Output.WriteLine(Path.Combine(into, "report.html"));
            }
            return ExitCode.Done;
        });
        return command;
    }
}
