using System.CommandLine;
using Dsd.Imaging;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Onnx.Runtime;
using Dsd.Tiny;

namespace Dsd.Tools.Commands;

/// <summary><c>dsd generate</c>: pictures of a reference's subject or from text alone, from an exported model or with TorchSharp.</summary>
internal sealed class GenerateCommand
{
    private readonly Terminal _terminal;
    private readonly DrawingOptions _drawing = new(
        $"Size of the picture. If left out, what the model was exported for; with '--model' 512x512, or {TinyModel.PanelSize}x{TinyModel.PanelSize} for "
            + $"the embedded one.");
    private readonly TorchModelOptions _torch = new([.. OnnxModelOptions.Modes.Keys]);
    private readonly Option<string?> _image = new("--image")
    {
        Description = "The reference: a picture of the subject. Left out, the picture comes from text alone.",
        HelpName = "FILE",
    };
    private readonly Option<float?> _imageGuidance = new("--image-guidance")
    {
        Description = "True guidance towards the reference. If left out 1, which adds nothing, and what suits it for '--model tiny'.",
        HelpName = "X",
    };
    private readonly Option<float?> _textGuidance = new("--text-guidance") { Description = "True guidance towards the prompt; likewise.", HelpName = "X" };
    private readonly EnhanceOptions _enhance = new();
    private readonly Option<string> _device = OnnxModelOptions.CreateDevice();
    private readonly OnnxModelOptions _onnx;
    private string _prompt = "";

    private GenerateCommand(Terminal terminal)
    {
        _terminal = terminal;
        _onnx = new OnnxModelOptions(_torch.Memory, _device);
    }

    public static Command Create(Terminal terminal)
    {
        GenerateCommand generate = new(terminal);
        Command command = new("generate", "Draw the subject of a reference as a prompt says, with an exported model or a model folder.")
        {
            generate._image, generate._imageGuidance, generate._textGuidance, generate._device,
        };
        generate._onnx.AddTo(command);
        generate._torch.AddTo(command);
        generate._drawing.AddTo(command);
        generate._enhance.AddTo(command);
        command.SetAction(async (parsed, cancel) =>
        {
            await Task.Run(() => generate.RunAsync(parsed, cancel), cancel);
            return ExitCode.Done;
        });
        return command;
    }

    private async Task RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        string? image = parsed.GetValue(_image);
        if (image is null && (parsed.GetValue(_imageGuidance) ?? parsed.GetValue(_textGuidance)) is not null)
        {
            throw new UsageException("'--image-guidance' and '--text-guidance' need a reference, but there is no '--image'.");
        }
        (string? onnx, string? model) = (_onnx.Folder(parsed), _torch.Model(parsed));
        if (onnx is null == model is null)
        {
            throw new UsageException($"Name the model either with '--onnx' or with '--model', but {(onnx is null ? "neither" : "both")} was given.");
        }
        (string File, long Seed)[] files = _drawing.Files(parsed);
        Picture? reference = image is null ? null : Load(image);
        List<string> warnings = [];
        _prompt = await _enhance.PromptAsync(parsed, _drawing.Prompt(parsed), reference, _terminal, cancel).ConfigureAwait(false);
        if (onnx is not null)
        {
            DrawWithOnnx(parsed, onnx, reference, files, warnings.Add, cancel);
        }
        else
        {
            DrawWithTorch(parsed, model!, reference, files, warnings.Add, cancel);
        }
        foreach (string warning in warnings.Distinct())
        {
            _terminal.Warn(warning);
        }
    }

    private void DrawWithOnnx(
        ParseResult parsed, string path, Picture? reference, (string File, long Seed)[] files, Action<string> warn, CancellationToken cancel)
    {
        OnnxRuntimeOptions runtime = _onnx.Runtime(parsed, warn);
        OnnxModelFolder folder = OnnxModelFolder.Open(path);
        RequireGuidance(parsed, folder.Path, folder.TakesGuidance);
        LoraUse[] loras = _torch.Loras(parsed);
        if (loras.Length > 0 && !folder.TakesAdapters)
        {
            throw new UsageException(
                $"The model in '{folder.Path}' takes no '--lora': merge adapters into it with 'dsd merge', or export it with '--adapter-inputs'.");
        }
        using OnnxPipeline opened = OnnxPipeline.Open(folder.Path, runtime);
        using OnnxPipeline? adapted = loras.Length > 0 ? opened.WithAdapters(loras, cancel) : null;
        OnnxPipeline pipeline = adapted ?? opened;
        if (reference is null)
        {
            DrawText(parsed, pipeline, _drawing.TextToImage(parsed, folder.FrameWidth, folder.FrameHeight), files, cancel);
        }
        else
        {
            DrawReference(parsed, pipeline, reference, _drawing.Dsd(parsed, folder.FrameWidth, folder.FrameHeight), files, cancel);
        }
        _terminal.Error.WriteLine($"onnx: {OnnxPlacement.Line(pipeline.Placements)}");
    }

    private void DrawWithTorch(
        ParseResult parsed, string model, Picture? reference, (string File, long Seed)[] files, Action<string> warn, CancellationToken cancel)
    {
        string device = parsed.GetRequiredValue(_device);
        if (!DeviceOption.IsName(device))
        {
            throw new UsageException($"'--device {device}' is for '--onnx'; TorchSharp, which '--model' draws with, takes cpu, cuda or cuda:N.");
        }
        PipelineOptions how = _torch.Pipeline(parsed, device, reference is not null, warn);
        string folder = ModelPresets.Resolve(model);
        DsdOptions defaults = ModelPresets.Of(model).Frame;
        float blockCache = _torch.BlockCache(parsed);
        // Wrong values are reported before gigabytes are loaded.
        if (reference is null)
        {
            TextToImageOptions options = CheckedOptions.Build(
                () => _drawing.TextToImage(parsed, defaults.Width, defaults.Height) with { BlockCache = blockCache });
            using TextToImagePipeline pipeline = TextToImagePipeline.Load(folder, how);
            RequireGuidance(parsed, model, pipeline.Model.TakesGuidance);
            DrawText(parsed, pipeline, options, files, cancel);
        }
        else
        {
            DsdOptions options = CheckedOptions.Build(() => _drawing.Dsd(parsed, defaults.Width, defaults.Height) with
            {
                ImageGuidance = defaults.ImageGuidance,
                TextGuidance = defaults.TextGuidance,
                BlockCache = blockCache,
            });
            using DsdPipeline pipeline = DsdPipeline.Load(folder, _torch.Release(parsed), how);
            RequireGuidance(parsed, model, pipeline.Model.TakesGuidance);
            DrawReference(parsed, pipeline, reference, options, files, cancel);
        }
    }

    private void DrawText(
        ParseResult parsed, ITextToImageModel pipeline, TextToImageOptions options, (string File, long Seed)[] files, CancellationToken cancel)
    {
        string prompt = _prompt;
        DrawingOptions.Draw(_terminal, files, (seed, steps) => pipeline.Generate([new TextToImageRequest(prompt, seed)], options, steps, cancel)[0]);
    }

    private void DrawReference(
        ParseResult parsed, IDsdModel pipeline, Picture reference, DsdOptions options, (string File, long Seed)[] files, CancellationToken cancel)
    {
        string prompt = _prompt;
        DsdOptions guided = CheckedOptions.Build(() => options with
        {
            ImageGuidance = parsed.GetValue(_imageGuidance) ?? options.ImageGuidance,
            TextGuidance = parsed.GetValue(_textGuidance) ?? options.TextGuidance,
        });
        DrawingOptions.Draw(_terminal, files, (seed, steps) => pipeline.Generate([new DsdRequest(reference, prompt, seed)], guided, steps, cancel)[0]);
    }

    private void RequireGuidance(ParseResult parsed, string model, bool taken)
    {
        if (_drawing.Guidance(parsed) is not null && !taken)
        {
            throw new UsageException($"The model in '{model}' takes no distilled guidance, so leave '--guidance' out.");
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
}
