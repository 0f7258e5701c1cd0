using System.CommandLine;
using Dsd.Common.Files;
using Dsd.Lab.Training;
using Dsd.Models.Families;
using Dsd.Tiny;

namespace Dsd.Lab.Commands;

/// <summary><c>dsd-lab train</c>: the embedded model from nothing, resumable.</summary>
internal static class TrainCommand
{
    private const double MostMinutes = 100_000;

    public static Command Create(Terminal terminal)
    {
        Option<string> folder = new("--out")
        {
            Description = "The folder that becomes the model; a run that was interrupted continues in it.",
            HelpName = "FOLDER",
            Required = true,
        };
        Option<string> device = DeviceOption.Create(several: true);
        Option<double?> minutes = new Option<double?>("--minutes")
        {
            Description = "Write a checkpoint and stop after so long.",
            HelpName = "N",
        }.Between(0, MostMinutes);
        Option<int?> threads = new Option<int?>("--threads")
        {
            Description = "Threads that computing and drawing on the processor may each use, 1 to 1024; one for every core if left out. Give each of several "
                + "trainings on one machine its share.",
            HelpName = "N",
        }.Between(1, 1024);
        Option<string?> config = new("--config") { Description = "A training config in place of the embedded model's own.", HelpName = "FILE" };
        Option<string?> from = new("--from")
        {
            Description = $"A model's folder, or '{TinyModel.Name}' for the embedded one: the teacher's training goes on with its teacher, and the stages "
                + "before count as done. A run that was interrupted continues with the same one.",
            HelpName = "MODEL",
        };
        Option<string[]> stages = new("--stage")
        {
            Description = $"Only these stages, out of {string.Join(", ", TinyTraining.StageNames)}.",
            HelpName = "NAME",
            AllowMultipleArgumentsPerToken = true,
        };
        stages.AcceptOnlyFromAmong([.. TinyTraining.StageNames]);
        Command command = new("train", "Train the embedded model: tokenizers, autoencoder, judge, classifier, text encoders, teacher, guidance, student.")
        {
            folder,
            device,
            minutes,
            threads,
            config,
            from,
            stages,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            WritablePlace.RequireFolder(parsed.GetRequiredValue(folder));
            DeviceOption.RequirePresent(parsed.GetRequiredValue(device));
            TinyTrainingOptions options = new()
            {
                OutFolder = parsed.GetRequiredValue(folder),
                Device = parsed.GetValue(device)!,
                Time = parsed.GetValue(minutes) is { } m ? TimeSpan.FromMinutes(m) : null,
                Threads = parsed.GetValue(threads),
                ConfigFile = parsed.GetValue(config),
                StartFolder = parsed.GetValue(from) is { } start ? ModelPresets.Resolve(start) : null,
                Stages = parsed.GetValue(stages) is { Length: > 0 } named ? named : TinyTraining.StageNames,
            };
            await Task.Run(() => TinyTraining.Run(options, terminal.Error.WriteLine, cancel), cancel);
            terminal.Output.WriteLine(options.OutFolder);
            return ExitCode.Done;
        });
        return command;
    }
}
