using System.CommandLine;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;
using Dsd.Tiny;
using static TorchSharp.torch;

namespace Dsd.Tools.Commands;

/// <summary>The options that say what TorchSharp loads for a drawing, and how it holds it.</summary>
internal sealed class TorchModelOptions
{
    private readonly string[] _otherMemory;

    private const string ReleasedAdapter = "pytorch_lora_weights.safetensors";

    private static readonly Dictionary<string, ScalarType> Types = new()
    {
        ["float32"] = ScalarType.Float32,
        ["bfloat16"] = ScalarType.BFloat16,
        ["float16"] = ScalarType.Float16,
    };

    private static readonly Dictionary<string, MemoryMode> Modes = new()
    {
        ["resident"] = MemoryMode.Resident,
        ["idle-on-host"] = MemoryMode.IdleOnHost,
        ["streamed"] = MemoryMode.Streamed,
    };

    private readonly Option<string?> _model = new("--model")
    {
        Description = $"Draw with TorchSharp: a pipeline folder in diffusers' layout, or '{TinyModel.Name}', the embedded model.",
        HelpName = $"FOLDER|{TinyModel.Name}",
    };
    private readonly Option<string?> _release = new("--dsd")
    {
        Description = "A release of Diffusion Self-Distillation, whose transformer takes the place of the model's.",
        HelpName = "FOLDER",
    };
    private readonly LorasOption _loras = new();
    private readonly Option<string?> _transformer = new("--transformer")
    {
        Description = "A file with other weights of the transformer, such as flux1-dev.safetensors.",
        HelpName = "FILE",
    };
    private readonly Option<string?> _vae = new("--vae")
    {
        Description = "A file with other weights of the autoencoder, such as ae.safetensors.",
        HelpName = "FILE",
    };
    private readonly Option<string?> _type = Choice(
        "--dtype", "The type of weights and computation; float32 on the CPU and bfloat16 on a GPU if left out.", Types.Keys);
    private readonly Option<bool> _float8 = new("--float8") { Description = "Compute in eight bits: faster, half the memory, not quite the same picture." };
    private readonly Option<int?> _tile = new("--vae-tile")
    {
        Description = "Side in pixels of the tiles in which the autoencoder works on larger pictures, a multiple of 32 from 128.",
        HelpName = "PIXELS",
    };
    private readonly Option<float?> _blockCache = new("--block-cache")
    {
        Description = "Leave out blocks in steps where the first one's result changed by no more than this share: faster, not the same picture. 0.1 is common.",
        HelpName = "SHARE",
    };

    /// <param name="otherMemory">
    /// Words of <c>--memory</c> with which the command draws otherwise than with TorchSharp, where it can: that option may then be given without a model.
    /// </param>
    public TorchModelOptions(params string[] otherMemory)
    {
        _otherMemory = otherMemory;
        string others = otherMemory.Contains("idle-closed")
            ? "; with '--onnx' resident, all but the modulation (modulation-closed), or only the component in use (idle-closed)"
            : "";
        Memory = Choice(
            "--memory",
            "What of the model lies in the GPU's memory: all of it (resident), what a step needs (idle-on-host), or two blocks at a time (streamed)"
                + $"{others}.",
            Modes.Keys.Union(otherMemory));
    }

    /// <summary>The option <c>--memory</c>.</summary>
    public Option<string?> Memory { get; }

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in All)
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The model that was asked for; null where TorchSharp was not.</summary>
    /// <exception cref="UsageException">Options of TorchSharp were given without a model.</exception>
    public string? Model(ParseResult parsed)
    {
        string? model = parsed.GetValue(_model);
        // A command that draws with ONNX Runtime too has these for both.
        IEnumerable<Option> own = _otherMemory.Length == 0 ? All : All.Except([Memory, .. _loras.Options]);
        return model is not null || own.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is not { } lonely
            ? model
            : throw new UsageException($"'{lonely.Name}' is for drawing with TorchSharp, but there is no '--model'.");
    }

    /// <summary>The release's folder, where one was given.</summary>
    public string? Release(ParseResult parsed) => parsed.GetValue(_release);

    /// <summary>The adapters that were named.</summary>
    /// <exception cref="UsageException">A strength is no number or out of range, or the choice for text encoders has no adapter.</exception>
    public LoraUse[] Loras(ParseResult parsed) => _loras.Of(parsed);

    /// <summary>How much may change before blocks are computed anew; 0 computes all.</summary>
    public float BlockCache(ParseResult parsed) => parsed.GetValue(_blockCache) ?? 0;

    /// <summary>How to load the model.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="device">cpu, cuda or cuda:N.</param>
    /// <param name="conditional">Whether a reference will be given: a preset then takes its own adapter, unless others are named.</param>
    /// <param name="warn">Called with a warning when something is done otherwise than asked.</param>
    /// <exception cref="UsageException">A value is out of range, or there is no such device.</exception>
    public PipelineOptions Pipeline(ParseResult parsed, string device, bool conditional, Action<string> warn)
    {
        if (parsed.GetValue(Memory) is { } other && !Modes.ContainsKey(other))
        {
            throw new UsageException(
                $"'{Memory.Name}' is {other}, which is for drawing with ONNX Runtime ('--onnx'); with '{_model.Name}' it is "
                    + $"{string.Join(" or ", Modes.Keys)}.");
        }
        DeviceOption.RequirePresent(device);
        if (device == "cpu" && new Option[] { _float8, Memory }.FirstOrDefault(o => parsed.GetResult(o) is { Implicit: false }) is { } gpuOnly)
        {
            throw new UsageException($"'{gpuOnly.Name}' is for a GPU, but '--device' is cpu.");
        }
        if (parsed.GetValue(_tile) is { } side && (side < 128 || side % 32 != 0))
        {
            throw new UsageException($"Option '--vae-tile' must be a multiple of 32 from 128, but is {side}.");
        }
        if (parsed.GetValue(_release) is not null && parsed.GetValue(_transformer) is not null)
        {
            throw new UsageException("Options '--dsd' and '--transformer' exclude each other: both bring a transformer.");
        }
        LoraUse[] loras = _loras.Of(parsed);
        string? release = parsed.GetValue(_release);
        if (release is not null && !conditional)
        {
            throw new UsageException("'--dsd' needs a reference, but there is no '--image'.");
        }
        if (loras.Length == 0 && conditional && release is null
            && parsed.GetValue(_model) is { } model && ModelPresets.Find(model)?.AdapterFile is { } own)
        {
            loras = [new LoraUse(own)];
        }
        if (loras.Length == 0 && release is not null && File.Exists(Path.Combine(release, ReleasedAdapter)))
        {
            warn($"'{release}' holds {ReleasedAdapter}, which is left out; name it with '--lora' to use it.");
        }
        return CheckedOptions.Build(() => new PipelineOptions
        {
            Device = new Device(device),
            DType = parsed.GetValue(_type) is { } type ? Types[type] : device == "cpu" ? ScalarType.Float32 : ScalarType.BFloat16,
            TransformerFile = parsed.GetValue(_transformer),
            VaeFile = parsed.GetValue(_vae),
            Loras = loras,
            VaeTileSide = parsed.GetValue(_tile),
            Memory = parsed.GetValue(Memory) is { } memory ? Modes[memory] : MemoryMode.Resident,
            Float8 = parsed.GetValue(_float8),
            Warn = warn,
        });
    }

    private Option[] All => [_model, _release, .. _loras.Options, _transformer, _vae, _type, Memory, _float8, _tile, _blockCache];

    private static Option<string?> Choice(string name, string description, IEnumerable<string> values)
    {
        Option<string?> option = new(name) { Description = description, HelpName = string.Join('|', values) };
        option.AcceptOnlyFromAmong([.. values]);
        return option;
    }
}
