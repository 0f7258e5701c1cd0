using System.CommandLine;
using Dsd.Common.Files;
using Dsd.Imaging;
using Dsd.Lab.Measure;
using Dsd.Lab.Training;
using Dsd.Models.Families;
using Dsd.Models.Sampling;
using Dsd.Tiny.Classifier;
using static TorchSharp.torch;

namespace Dsd.Lab.Commands;

/// <summary><c>dsd-lab look</c>: whether a teacher looks from panel to panel.</summary>
internal static class LookCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<string> model = ModelOption.Create("a classifier");
        Option<string> folder = new("--out") { Description = "The folder for look.json, look.md and look.png.", HelpName = "FOLDER", Required = true };
        Option<string> device = DeviceOption.Create();
        Option<int> subjects = new Option<int>("--subjects")
        {
            Description = "Held-out subjects, 2 to 10000.",
            HelpName = "N",
            DefaultValueFactory = _ => 200,
        }.Between(2, 10_000);
        Option<int> steps = new Option<int>("--steps")
        {
            Description = "Sampling steps a grid, 1 to 1000.",
            HelpName = "N",
            DefaultValueFactory = _ => 28,
        }.Between(1, 1000);
        Option<float> guidance = new Option<float>("--guidance")
        {
            Description = "The guidance that the teacher is given, 0 to 100; 1 for a teacher that no guidance was distilled into.",
            HelpName = "X",
            DefaultValueFactory = _ => 3.5f,
        }.Between(0f, 100f);
        Command command = new("look", "Measure whether a teacher looks from panel to panel: what it draws beside a held picture.")
        {
            model, folder, device, subjects, steps, guidance,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            string into = parsed.GetRequiredValue(folder);
            WritablePlace.RequireFolder(into);
            DeviceOption.RequirePresent(parsed.GetRequiredValue(device));
            string from = ModelPresets.Resolve(parsed.GetRequiredValue(model));
            Device where = new(parsed.GetRequiredValue(device));
            LookOptions options = new()
            {
                PanelSize = ModelPanels.Side(from),
                Subjects = parsed.GetValue(subjects),
                Steps = parsed.GetValue(steps),
                Guidance = parsed.GetValue(guidance),
            };
            await Task.Run(() => Run(from, into, where, options, terminal.Error.WriteLine, cancel), cancel);
            terminal.Output.WriteLine(Path.Combine(into, "look.md"));
            return ExitCode.Done;
        });
        return command;
    }

    private static void Run(string model, string into, Device device, LookOptions options, Action<string> log, CancellationToken cancellationToken)
    {
        using AttributeClassifier classifier = AttributeClassifier.Load(Path.Combine(model, "classifier"), device);
        using TextToImagePipeline teacher = TextToImagePipeline.Load(model, ModelLoading.On(device));
        (IReadOnlyList<LookFigures> figures, IReadOnlyList<Picture> sheet) = LookAcross.Measure(teacher, classifier, options, log, cancellationToken);
        Directory.CreateDirectory(into);
        LookFiles.Write(into, figures, sheet);
    }
}
