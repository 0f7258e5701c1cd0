using System.CommandLine;
using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Onnx.Runtime;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd generate</c>: pictures from an exported model, of a reference's subject or from text alone.</summary>
internal sealed class GenerateCommand
{
    private readonly Terminal _terminal;
    private readonly DrawingOptions _drawing = new("Size of the picture; if left out, what the model was exported for.");
    private readonly Option<string> _folder = new("--onnx") { Description = "The folder that 'dsd export' wrote.", HelpName = "FOLDER", Required = true };
    private readonly Option<string?> _image = new("--image") { Description = "The reference: a picture of the subject. Left out, the picture comes from text alone.", HelpName = "FILE" };
    private readonly Option<float?> _imageGuidance = new("--image-guidance") { Description = "True guidance towards the reference; 1, which adds nothing, if left out.", HelpName = "X" };
    private readonly Option<float?> _textGuidance = new("--text-guidance") { Description = "True guidance towards the prompt; 1, which adds nothing, if left out.", HelpName = "X" };
    private readonly Option<OnnxProvider> _device = new("--device") { Description = "Where to compute; cpu if left out.", HelpName = "cpu|cuda" };

    private GenerateCommand(Terminal terminal) => _terminal = terminal;

    public static Command Create(Terminal terminal)
    {
        GenerateCommand generate = new(terminal);
        generate._device.AcceptOnlyFromAmong(StringComparer.Ordinal, "cpu", "cuda");
        Command command = new("generate", "Draw the subject of a reference as a prompt says, with an exported model.")
        {
            generate._folder, generate._image, generate._imageGuidance, generate._textGuidance, generate._device,
        };
        generate._drawing.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            await Task.Run(() => generate.Run(parsed, cancel), cancel);
            return ExitCode.Done;
        });
        return command;
    }

    private void Run(ParseResult parsed, CancellationToken cancel)
    {
        string? image = parsed.GetValue(_image);
        if (image is null && (parsed.GetValue(_imageGuidance) ?? parsed.GetValue(_textGuidance)) is not null)
        {
            throw new UsageException("'--image-guidance' and '--text-guidance' need a reference, but there is no '--image'.");
        }
        (string File, long Seed)[] files = _drawing.Files(parsed);
        Picture? reference = image is null ? null : Load(image);
        OnnxModelFolder folder = OnnxModelFolder.Open(parsed.GetRequiredValue(_folder));
        if (_drawing.Guidance(parsed) is not null && !folder.TakesGuidance)
        {
            throw new UsageException($"The model in '{folder.Path}' takes no distilled guidance, so leave '--guidance' out.");
        }
        List<string> warnings = [];
        using OnnxPipeline pipeline = OnnxPipeline.Open(folder.Path, new OnnxRuntimeOptions { Provider = parsed.GetValue(_device), Warn = warnings.Add });
        string prompt = _drawing.Prompt(parsed);
        if (reference is null)
        {
            TextToImageOptions options = _drawing.TextToImage(parsed, folder.FrameWidth, folder.FrameHeight);
            DrawingOptions.Draw(_terminal, files, (seed, steps) => pipeline.Generate([new TextToImageRequest(prompt, seed)], options, steps, cancel)[0]);
        }
        else
        {
            DsdOptions options = WithTrueGuidance(parsed, _drawing.Dsd(parsed, folder.FrameWidth, folder.FrameHeight));
            DrawingOptions.Draw(_terminal, files, (seed, steps) => pipeline.Generate([new DsdRequest(reference, prompt, seed)], options, steps, cancel)[0]);
        }
        foreach (string warning in warnings.Distinct())
        {
            _terminal.Warn(warning);
        }
    }

    private static Picture Load(string file)
    {
        Picture picture = Picture.Load(file);
        int least = DsdRequest.LeastReferenceSide;
        return picture.Width >= least && picture.Height >= least
            ? picture
            : throw new PictureException(file, $"a reference of at least {least} pixels a side", $"{picture.Width} × {picture.Height}");
    }

    private DsdOptions WithTrueGuidance(ParseResult parsed, DsdOptions options) => LibraryOptions.Build(() => options with
    {
        ImageGuidance = parsed.GetValue(_imageGuidance) ?? options.ImageGuidance,
        TextGuidance = parsed.GetValue(_textGuidance) ?? options.TextGuidance,
    });
}
