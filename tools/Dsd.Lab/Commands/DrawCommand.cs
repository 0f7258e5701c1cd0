using System.CommandLine;
using Dsd.Models.Families;
using Dsd.Models.Sampling;
using Dsd.Tiny;

namespace Dsd.Lab.Commands;

/// <summary><c>dsd-lab draw</c>: pictures from text, by the embedded teacher.</summary>
internal static class DrawCommand
{
    public static Command Create(Terminal terminal)
    {
        DrawingOptions drawing = new(
            $"Size of the picture; {TinyModel.PanelSize}x{TinyModel.PanelSize} if left out. A grid of two panels is "
                + $"{2 * TinyModel.PanelSize}x{TinyModel.PanelSize}.");
        Option<string> model = new("--model")
        {
            Description = "A pipeline folder to draw with in place of the embedded one, such as a newly trained one.",
            HelpName = "FOLDER",
            DefaultValueFactory = _ => TinyModel.Name,
        };
        Command command = new("draw", "Draw from text with the embedded teacher.") { model };
        drawing.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            await Task.Run(() => Run(terminal, drawing, parsed, parsed.GetRequiredValue(model), cancel), cancel);
            return ExitCode.Done;
        });
        return command;
    }

    private static void Run(Terminal terminal, DrawingOptions drawing, ParseResult parsed, string model, CancellationToken cancel)
    {
        (string File, long Seed)[] files = drawing.Files(parsed);
        TextToImageOptions options = drawing.TextToImage(parsed, TinyModel.PanelSize, TinyModel.PanelSize);
        List<string> warnings = [];
        using TextToImagePipeline pipeline = TextToImagePipeline.Load(ModelPresets.Resolve(model), new PipelineOptions { Warn = warnings.Add });
        if (drawing.Guidance(parsed) is not null && !pipeline.Model.TakesGuidance)
        {
            throw new UsageException($"The model '{model}' takes no distilled guidance, so leave '--guidance' out.");
        }
        string prompt = drawing.Prompt(parsed);
        DrawingOptions.Draw(terminal, files, (seed, steps) => pipeline.Generate([new TextToImageRequest(prompt, seed)], options, steps, cancel)[0]);
        foreach (string warning in warnings.Distinct())
        {
            terminal.Warn(warning);
        }
    }
}
