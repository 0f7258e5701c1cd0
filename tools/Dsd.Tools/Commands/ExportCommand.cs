using System.CommandLine;
using Dsd.Evaluation.Encoders;
using Dsd.Evaluation.Pictures;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Onnx.Export;
using Dsd.Tiny;

namespace Dsd.Tools.Commands;

/// <summary>
/// <c>dsd export</c>: a model folder, with a release or an adapter laid over it, as ONNX models; or an encoder that pictures are measured with.
/// </summary>
internal sealed class ExportCommand
{
    private const string ReleasedAdapter = "pytorch_lora_weights.safetensors";

    // The transformer and its modulation, the encoder and decoder of pictures, and the two text encoders.
    private const int Parts = 6;

    // The network for pictures, and CLIP's for texts.
    private const int EncoderParts = 2;

    private static readonly (string Name, Resampling Value)[] Resamplings =
        [("pillow", Resampling.Pillow), ("torchvision", Resampling.TorchvisionBytes), ("torchvision-floats", Resampling.TorchvisionFloats)];

    // Known to exports alone: elsewhere the embedded model is the student where there is a reference, and the teacher where there is none.
    private static readonly ModelPreset Teacher = TinyModel.Preset with { Name = $"{TinyModel.Name}-teacher", AdapterFile = null };

    private readonly Terminal _terminal;

    private readonly Option<string?> _model = new("--model")
    {
        Description = $"A pipeline folder in diffusers' layout, '{TinyModel.Name}' (the embedded student) or '{Teacher.Name}'.",
        HelpName = $"FOLDER|{TinyModel.Name}|{Teacher.Name}",
    };

    private readonly Option<string?> _encoder = new("--encoder")
    {
        Description = "In place of '--model': what pictures are measured with. A folder of CLIP, DINO or DINOv2 as published, or CSD's weights.",
        HelpName = "FOLDER|FILE",
    };
    private readonly Option<int?> _heads = new("--heads")
    {
        Description = "Attention heads of CSD's network; one for each 64 channels if left out.",
        HelpName = "N",
    };
    private readonly Option<Resampling?> _resize = new("--resize")
    {
        Description = "Whose arithmetic scales pictures for the encoder; if left out, that of the encoder's own code.",
        HelpName = string.Join('|', Resamplings.Select(r => r.Name)),
        CustomParser = result => ExportFormatOptions.Named(result, Resamplings),
    };

    private readonly Option<string?> _release = new("--dsd")
    {
        Description = "A release of Diffusion Self-Distillation, whose transformer takes the place of the pipeline's.",
        HelpName = "FOLDER",
    };
    private readonly Option<string?> _lora = new("--lora") { Description = "An adapter to merge into the transformer.", HelpName = "FILE" };
    private readonly Option<float?> _loraScale = new("--lora-scale") { Description = "Strength of the adapter; 1 if left out.", HelpName = "X" };
    private readonly LoraTextOption _loraText = new();
    private readonly Option<PictureSize?> _size = PictureSize.Option(
        $"Size of a frame that the model is meant for; 512x512 if left out, {TinyModel.PanelSize}x{TinyModel.PanelSize} for the embedded model.");
    private readonly ExportFormatOptions _format = new("--precision");
    private readonly Option<bool> _adapterInputs = new("--adapter-inputs")
    {
        Description = "Give the transformer inputs for adapters, which 'dsd generate --onnx … --lora' fills. Each step takes longer.",
    };
    private readonly Option<string> _folder = new("--out") { Description = "The folder to write.", HelpName = "FOLDER", Required = true };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace an earlier export there." };

    private ExportCommand(Terminal terminal) => _terminal = terminal;

    public static Command Create(Terminal terminal)
    {
        ExportCommand export = new(terminal);
        Command command = new("export", "Write a model as ONNX.")
        {
            export._model, export._encoder, export._heads, export._resize,
            export._release, export._lora, export._loraScale, export._loraText.Option, export._size, export._format.Precision,
            export._format.Provider, export._adapterInputs, export._folder, export._overwrite,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            await Task.Run(() => export.Run(parsed, cancel), cancel);
            return ExitCode.Done;
        });
        return command;
    }

    private void Run(ParseResult parsed, CancellationToken cancel)
    {
        if (parsed.GetValue(_encoder) is { } encoder)
        {
            RunEncoder(parsed, encoder, cancel);
            return;
        }
        Option[] ofEncoders = [_heads, _resize];
        if (ofEncoders.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } alone)
        {
            throw new UsageException($"'{alone.Name}' is for encoders: it needs '{_encoder.Name}'.");
        }
        string model = parsed.GetValue(_model) ?? throw new UsageException($"Option '{_model.Name}' is required, or '{_encoder.Name}' in its place.");
        ModelPreset preset = model == Teacher.Name ? Teacher : ModelPresets.Of(model);
        string? release = parsed.GetValue(_release);
        string? lora = parsed.GetValue(_lora) ?? (release is null ? preset.AdapterFile : null);
        float? scale = parsed.GetValue(_loraScale);
        if (scale is not null && lora is null)
        {
            throw new UsageException("'--lora-scale' needs an adapter, but there is no '--lora'.");
        }
        LoraTextEncoders text = _loraText.Of(parsed, lora is not null);
        LoraUse? use = lora is null ? null
            : CheckedOptions.Build(() => new LoraUse(lora, scale ?? 1) { TextEncoders = text }, strength: "Option '--lora-scale'");
        OnnxExportOptions options = CheckedOptions.Build(() =>
        {
            PictureSize size = parsed.GetValue(_size) ?? new PictureSize(preset.Frame.Width, preset.Frame.Height);
            return new OnnxExportOptions
            {
                Precision = parsed.GetValue(_format.Precision) ?? ExportPrecision.Float32,
                Target = parsed.GetValue(_format.Provider) ?? GraphTarget.Portable,
                ReleaseFolder = release,
                AdapterInputs = parsed.GetValue(_adapterInputs),
                Warn = _terminal.Warn,
                FrameWidth = size.Width,
                FrameHeight = size.Height,
                Overwrite = parsed.GetValue(_overwrite),
            };
        });
        string target = parsed.GetRequiredValue(_folder);
        OnnxTarget.Require(target, options.Overwrite);
        string folder = ModelPresets.Resolve(preset);
        if (release is not null && lora is null && File.Exists(Path.Combine(release, ReleasedAdapter)))
        {
            _terminal.Warn($"'{release}' holds {ReleasedAdapter}, which is left out; name it with '--lora' to merge it.");
        }
        _terminal.Track("exporting", stages => OnnxExporter.Export(folder, use, target, options, cancel, new PartProgress(stages, Parts)));
        _terminal.Output.WriteLine(target);
    }
    private void RunEncoder(ParseResult parsed, string encoder, CancellationToken cancel)
    {
        Option[] ofModels = [_model, _release, _lora, _loraScale, _loraText.Option, _size, _format.Precision, _format.Provider, _adapterInputs];
        if (ofModels.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } other)
        {
            throw new UsageException(
                $"'{other.Name}' is for models that draw, and '{_encoder.Name}' exports what pictures are measured with: give one of them.");
        }
        EncoderExportOptions options = CheckedOptions.Build(() => new EncoderExportOptions
        {
            Heads = parsed.GetValue(_heads),
            Resampling = parsed.GetValue(_resize),
            Overwrite = parsed.GetValue(_overwrite),
        });
        string target = parsed.GetRequiredValue(_folder);
        OnnxTarget.Require(target, options.Overwrite);
        _terminal.Track("exporting", stages => EncoderExporter.Export(encoder, target, options, cancel, new PartProgress(stages, EncoderParts)));
        _terminal.Output.WriteLine(target);
    }
}
