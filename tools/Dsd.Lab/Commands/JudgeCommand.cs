using System.CommandLine;
using Dsd.Common.Files;
using Dsd.Lab.Measure;
using Dsd.Models.Families;
using static TorchSharp.torch;

namespace Dsd.Lab.Commands;

/// <summary><c>dsd-lab judge</c>: the judge's precision and recall on a teacher's own grids.</summary>
internal static class JudgeCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<string> model = ModelOption.Create("judge and classifier");
        Option<string> folder = new("--out") { Description = "The folder for judge.json, judge.md and sheets.png.", HelpName = "FOLDER", Required = true };
        Option<string> device = DeviceOption.Create();
        Option<int> grids = new Option<int>("--grids")
        {
            Description = "Grids, each of a held-out subject, 2 to 10000.",
            HelpName = "N",
            DefaultValueFactory = _ => 400,
        }.Between(2, 10_000);
        Option<int> steps = new Option<int>("--steps")
        {
            Description = "Sampling steps a grid, 1 to 1000.",
            HelpName = "N",
            DefaultValueFactory = _ => 16,
        }.Between(1, 1000);
        Option<double> whole = new Option<double>("--whole-subject-share")
        {
            Description = "The share of the grids whose captions state the whole subject, 0 to 1, as those do that students learn from.",
            HelpName = "X",
            DefaultValueFactory = _ => 1,
        }.Between(0d, 1d);
        Option<string?> second = new("--second-classifier")
        {
            Description = "The folder of another classifier, trained from another seed: how far two classifiers agree is as far as a judge can get.",
            HelpName = "FOLDER",
        };
        Command command = new("judge", "Measure the judge on a teacher's own grids, against the classifier.")
        {
            model,
            folder,
            device,
            grids,
            steps,
            whole,
            second,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            string into = parsed.GetRequiredValue(folder);
            WritablePlace.RequireFolder(into);
            DeviceOption.RequirePresent(parsed.GetRequiredValue(device));
            TeacherReportOptions options = new()
            {
                ModelFolder = ModelPresets.Resolve(parsed.GetRequiredValue(model)),
                OutFolder = into,
                Device = new Device(parsed.GetRequiredValue(device)),
                Subjects = parsed.GetValue(grids),
                Steps = parsed.GetValue(steps),
                WholeSubjectShare = parsed.GetValue(whole),
                SecondClassifier = parsed.GetValue(second),
                Batch = 32,
            };
            await Task.Run(() => TeacherReporting.RunJudge(options, terminal.Error.WriteLine, cancel), cancel);
            terminal.Output.WriteLine(Path.Combine(into, "judge.md"));
            return ExitCode.Done;
        });
        return command;
    }
}
