using System.CommandLine;
using Dsd.Dataset.Formats;
using Dsd.Models.Families;
using Dsd.Models.Lora;
using Dsd.Models.Training;
using Dsd.Models.Training.Optimizers;
using Dsd.Models.Training.Planning;
using Dsd.Tiny;
using static TorchSharp.torch;

namespace Dsd.Tools.Train;

/// <summary>The options of <c>dsd train</c>: the model's preset, a file's options over it, and the command line's over both.</summary>
internal sealed class TrainOptions
{
    private static readonly Dictionary<string, ConditionTraining> Conditions = new()
    {
        ["whole"] = ConditionTraining.Whole,
        ["frozen"] = ConditionTraining.Frozen,
        ["lora"] = ConditionTraining.Lora,
    };

    private static readonly Dictionary<string, LearningRateSchedule> Schedules = new()
    {
        ["constant"] = LearningRateSchedule.Constant,
        ["cosine"] = LearningRateSchedule.Cosine,
        ["linear"] = LearningRateSchedule.Linear,
    };

    private static readonly Dictionary<string, Func<OptimizerOptions>> Optimizers = new()
    {
        ["adamw"] = () => new AdamWOptions(),
        ["adamw8"] = () => new EightBitAdamWOptions(),
        ["prodigy"] = () => new ProdigyOptions(),
    };

    private static readonly PairDatasetOptions Names = new();

    private readonly Option<string?> _model = new("--model")
    {
        Description = $"The base model: a pipeline folder in diffusers' layout, or '{TinyModel.Name}', the embedded one.",
        HelpName = $"FOLDER|{TinyModel.Name}",
    };
    private readonly Option<string[]> _pairs = Several(
        "--pairs", "Datasets of pairs, read one after another: what 'dsd dataset write' writes, or others in its layouts.", "FOLDER|FILE");
    private readonly Option<string?> _out = new("--out")
    {
        Description = "The run's folder. A run that was interrupted goes on in it, and a finished one is not trained again.",
        HelpName = "FOLDER",
    };
    private readonly Option<string?> _file = new("--options")
    {
        Description = "A JSON or YAML file with any of these options, and all of the library's, by their names there; the command line goes before it.",
        HelpName = "FILE",
    };
    private readonly Option<long?> _steps = new Option<long?>("--steps") { Description = "Steps of the run.", HelpName = "N" }.Between(1, long.MaxValue);
    private readonly Option<int?> _batch = new Option<int?>("--batch") { Description = "Pairs at once.", HelpName = "N" }.Between(1, 65536);
    private readonly Option<int?> _accumulate = new Option<int?>("--accumulate")
    {
        Description = "Batches a step, one after the other: time instead of memory.",
        HelpName = "N",
    }.Between(1, 65536);
    private readonly Option<int?> _rank = new Option<int?>("--rank") { Description = "Rank of a new adapter.", HelpName = "N" }.Between(1, 4096);
    private readonly Option<float?> _alpha = new("--alpha") { Description = "Alpha of a new adapter; its rank if left out.", HelpName = "X" };
    private readonly Option<string[]> _targets = Several(
        "--targets", "Layers of a new adapter: attention, all, endings such as attn.to_q, names with * and ?, or /regular expressions/.", "NAME");
    private readonly Option<string?> _condition = Choice("--condition", "How a new adapter trains the layer that embeds the condition.", Conditions.Keys);
    private readonly Option<string?> _lora = new("--lora") { Description = "An adapter to continue from, instead of a new one.", HelpName = "FILE" };
    private readonly Option<double?> _rate = new("--learning-rate")
    {
        Description = "The largest learning rate; with '--optimizer prodigy' 1 if left out.",
        HelpName = "X",
    };
    private readonly Option<string?> _schedule = Choice("--schedule", "How the learning rate goes on after its rise.", Schedules.Keys);
    private readonly Option<long?> _warmup = new Option<long?>("--warmup") { Description = "Steps over which the learning rate rises.", HelpName = "N" }
        .Between(0, long.MaxValue);
    private readonly Option<string?> _optimizer = Choice("--optimizer", "AdamW, AdamW with states in eight bits, or Prodigy.", Optimizers.Keys);
    private readonly Option<PictureSize?> _size = PictureSize.Option("Size of one frame; the canvas holds two.");
    private readonly Option<bool> _buckets = new("--buckets") { Description = "Each pair gets a frame of about its target's aspect ratio." };
    private readonly Option<int[]> _resolutions = new("--resolutions")
    {
        Description = "With '--buckets': areas of frames, each as the side of its square in pixels.",
        HelpName = "N",
        AllowMultipleArgumentsPerToken = true,
        CustomParser = result => [.. result.Tokens.Select(token =>
        {
            if (!Number.TryRead(token.Value, out int side))
            {
                result.AddError($"Option '--resolutions' {Number.Fault<int>(token.Value)}.");
            }
            return side;
        })],
    };
    private readonly Option<double?> _dropout = new Option<double?>("--dropout")
    {
        Description = "Share of an adapted layer's inputs that the adapter does not see, 0 to 0.99.",
        HelpName = "X",
    }.Between(0, 0.99);
    private readonly Option<long?> _seed = new("--seed") { Description = "Where all that is random starts.", HelpName = "N" };
    private readonly Option<string> _device = DeviceOption.Create();
    private readonly Option<int?> _gpus = new Option<int?>("--gpus")
    {
        Description = "Train on so many GPUs of this machine, 1 to 64, each with '--batch' pairs a step; 1 if left out. On several machines start one "
            + "process a GPU with torchrun's variables instead.",
        HelpName = "N",
    }.Between(1, 64);
    private readonly Option<string?> _setting = Choice(
        "--setting", "What of the base model lies where; auto, the default, is the fastest that fits.", TrainRunOptions.Settings);
    private readonly Option<double?> _memory = new Option<double?>("--memory")
    {
        Description = "GiB of the device's memory that may be taken; what is free on the GPU if left out.",
        HelpName = "GIB",
    }.Between(0.001, 100000);
    private readonly Option<string?> _cache = new("--cache")
    {
        Description = "A folder for encoded pictures and prompts, which runs share; 'cache' in the run's folder if left out.",
        HelpName = "FOLDER",
    };
    private readonly Option<long?> _checkpointSteps = new Option<long?>("--checkpoint-steps")
    {
        Description = "Steps between checkpoints, beside one every ten minutes.",
        HelpName = "N",
    }.Between(1, long.MaxValue);
    private readonly Option<int?> _keep = new Option<int?>("--keep") { Description = "Checkpoints that are kept.", HelpName = "N" }.Between(1, 1000);
    private readonly Option<int?> _report = new Option<int?>("--report-every") { Description = "Steps between two lines of the log.", HelpName = "N" }
        .Between(1, int.MaxValue);
    private readonly Option<string?> _validate = new("--validate")
    {
        Description = "A dataset of pairs that are not trained on, whose loss is told.",
        HelpName = "FOLDER|FILE",
    };
    private readonly Option<string?> _validateSplit = new("--validate-split") { Description = "The split of that dataset.", HelpName = "NAME" };
    private readonly Option<long?> _validateEvery = new Option<long?>("--validate-every")
    {
        Description = "Steps between two looks at them.",
        HelpName = "N",
    }.Between(1, long.MaxValue);
    private readonly Option<string?> _names = Choice(
        "--names", "Whose names the adapter's file has; diffusers' if left out.", TrainRunOptions.NamesByWord.Keys);
    private readonly Option<string[]> _samples = new("--sample")
    {
        Description = "A prompt to draw with the adapter at the end, and every '--sample-every' steps. It may be given several times.",
        HelpName = "PROMPT",
    };
    private readonly Option<string?> _sampleReference = new("--sample-reference") { Description = "The reference for these.", HelpName = "FILE" };
    private readonly Option<long?> _sampleEvery = new Option<long?>("--sample-every")
    {
        Description = "Steps between two drawings of them, beside the one at the end.",
        HelpName = "N",
    }.Between(1, long.MaxValue);
    private readonly Option<string?> _split = new("--split") { Description = "The split of '--pairs', where there are several.", HelpName = "NAME" };
    private readonly Option<string?> _image = Column("--image-column", "the target", Names.ImageColumn);
    private readonly Option<string?> _conditioning = Column("--conditioning-column", "the reference", Names.ConditioningColumn);
    private readonly Option<string?> _caption = Column("--caption-column", "what the target shows", Names.CaptionColumn);
    private readonly Option<bool> _noDetails = new("--no-details") { Description = "Read these three columns alone." };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[]
        {
            _model, _pairs, _out, _file, _steps, _batch, _accumulate, _rank, _alpha, _targets, _condition, _lora, _rate, _schedule, _warmup, _optimizer,
            _size, _buckets, _resolutions, _dropout, _seed, _device, _gpus, _setting, _memory, _cache, _checkpointSteps, _keep, _report, _validate,
            _validateSplit, _validateEvery, _names, _samples, _sampleReference, _sampleEvery, _split, _image, _conditioning, _caption, _noDetails,
        })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>What was asked for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="planOnly">Whether pairs and a folder may be left out.</param>
    /// <param name="warn">Is told of warnings.</param>
    /// <exception cref="UsageException">A value is out of range, or options contradict each other.</exception>
    public TrainRequest Read(ParseResult parsed, bool planOnly, Action<string> warn)
    {
        TrainOptionsFile? file = parsed.GetValue(_file) is { } path ? TrainOptionsFile.Open(path) : null;
        TrainRunOptions run = Over(file?.Run ?? new TrainRunOptions(), parsed);
        if (run.Model is null)
        {
            throw new UsageException($"Option '--model' is required: {_model.HelpName}.");
        }
        if (!planOnly && (run.Pairs.Count == 0 || run.Out is null))
        {
            throw new UsageException($"Option '{(run.Pairs.Count == 0 ? "--pairs" : "--out")}' is required, unless '--plan' asks for the plan alone.");
        }
        CheckContradictions(parsed, run);
        string device = run.Device ?? "cpu";
        DeviceOption.RequirePresent(device);
        ModelPreset model = ModelPresets.Of(run.Model);
        string? setting = run.Setting == TrainRunOptions.Auto ? null : run.Setting;
        if (device == "cpu"
            && TrainingSetting.All.FirstOrDefault(s => s.Name == setting) is { Float8: true } or { Streamed: true })
        {
            throw new UsageException($"'--setting {setting}' needs a GPU, but '--device' is cpu.");
        }
        return new TrainRequest
        {
            Model = model,
            Pairs = run.Pairs,
            Columns = new PairDatasetOptions
            {
                Split = run.Split,
                ImageColumn = run.ImageColumn ?? Names.ImageColumn,
                ConditioningColumn = run.ConditioningColumn ?? Names.ConditioningColumn,
                CaptionColumn = run.CaptionColumn ?? Names.CaptionColumn,
                ReadDetails = run.ReadDetails ?? true,
            },
            Validate = run.Validate,
            ValidateSplit = run.ValidateSplit,
            Out = run.Out,
            Training = Training(parsed, file, model.Training, run.Out),
            Base = new TrainingBase
            {
                Device = new Device(device),
                Setting = setting,
                MemoryBytes = run.MemoryGib is { } gib ? (long)(gib * (1L << 30)) : null,
                Warn = warn,
            },
            Device = device,
            Gpus = run.Gpus ?? 1,
            Names = run.Names is { } word ? TrainRunOptions.NamesByWord[word] : LoraNames.Diffusers,
            Samples = run.Samples,
            SampleReference = run.SampleReference,
            SampleEvery = run.SampleEvery,
        };
    }

    /// <summary>What the command line says, over a file.</summary>
    private TrainRunOptions Over(TrainRunOptions file, ParseResult parsed) => file with
    {
        Model = parsed.GetValue(_model) ?? file.Model,
        Pairs = parsed.GetValue(_pairs) is { Length: > 0 } pairs ? pairs : file.Pairs,
        Out = parsed.GetValue(_out) ?? file.Out,
        // It has a default, which is not what anybody asked for.
        Device = Given(parsed, _device) ? parsed.GetValue(_device) : file.Device,
        Gpus = parsed.GetValue(_gpus) ?? file.Gpus,
        Setting = parsed.GetValue(_setting) ?? file.Setting,
        MemoryGib = parsed.GetValue(_memory) ?? file.MemoryGib,
        Split = parsed.GetValue(_split) ?? file.Split,
        ImageColumn = parsed.GetValue(_image) ?? file.ImageColumn,
        ConditioningColumn = parsed.GetValue(_conditioning) ?? file.ConditioningColumn,
        CaptionColumn = parsed.GetValue(_caption) ?? file.CaptionColumn,
        ReadDetails = parsed.GetValue(_noDetails) ? false : file.ReadDetails,
        Validate = parsed.GetValue(_validate) ?? file.Validate,
        ValidateSplit = parsed.GetValue(_validateSplit) ?? file.ValidateSplit,
        Names = parsed.GetValue(_names) ?? file.Names,
        Samples = parsed.GetValue(_samples) is { Length: > 0 } samples ? samples : file.Samples,
        SampleReference = parsed.GetValue(_sampleReference) ?? file.SampleReference,
        SampleEvery = parsed.GetValue(_sampleEvery) ?? file.SampleEvery,
    };

    private void CheckContradictions(ParseResult parsed, TrainRunOptions run)
    {
        if (parsed.GetValue(_lora) is not null && NewAdapter(parsed) is { } describing)
        {
            throw new UsageException($"'--lora' continues from an adapter, and '{describing}' describes a new one: leave one of them out.");
        }
        if (run.MemoryGib is not null && run.Setting is { } setting && setting != TrainRunOptions.Auto)
        {
            throw new UsageException($"'--memory' chooses the setting, and '--setting {setting}' names one: leave one of them out.");
        }
        string? lonely = Given(parsed, _validateEvery) ? _validateEvery.Name : run.ValidateSplit is not null ? _validateSplit.Name : null;
        if (run.Validate is null && lonely is not null)
        {
            throw new UsageException($"'{lonely}' is for held-out pairs, but there is no '--validate'.");
        }
        if (run.Samples.Count > 0 != run.SampleReference is not null)
        {
            throw new UsageException("'--sample' and '--sample-reference' belong together: a prompt, and the picture of its subject.");
        }
        if (run.SampleEvery is not null && run.Samples.Count == 0)
        {
            throw new UsageException("'--sample-every' is for prompts to draw, but there is no '--sample'.");
        }
    }

    private string? NewAdapter(ParseResult parsed) =>
        new Option[] { _rank, _alpha, _targets, _condition }.FirstOrDefault(o => Given(parsed, o))?.Name;

    private static bool Given(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    private LoraTrainingOptions Training(ParseResult parsed, TrainOptionsFile? file, LoraTrainingOptions preset, string? folder)
    {
        LoraTrainingOptions options = file is null ? preset : file.Over(preset);
        string? describing = NewAdapter(parsed);
        if (describing is not null && file is not null && options.InitialAdapterFile is { } start && start != preset.InitialAdapterFile)
        {
            throw new UsageException(
                $"'{describing}' describes a new adapter, but options file '{file.Path}' continues from '{start}': leave one of them out.");
        }
        OptimizerOptions? optimizer = parsed.GetValue(_optimizer) is { } name ? Optimizers[name]() : null;
        PictureSize? size = parsed.GetValue(_size);
        try
        {
            LoraTrainingOptions training = CheckedOptions.Build(() => options with
            {
                Steps = parsed.GetValue(_steps) ?? options.Steps,
                BatchSize = parsed.GetValue(_batch) ?? options.BatchSize,
                AccumulationSteps = parsed.GetValue(_accumulate) ?? options.AccumulationSteps,
                Adapter = Adapter(parsed, options.Adapter),
                InitialAdapterFile = parsed.GetValue(_lora) ?? (describing is null ? options.InitialAdapterFile : null),
                LearningRate = parsed.GetValue(_rate) ?? (optimizer is ProdigyOptions ? 1 : options.LearningRate),
                Schedule = parsed.GetValue(_schedule) is { } schedule ? Schedules[schedule] : options.Schedule,
                WarmupSteps = parsed.GetValue(_warmup) ?? options.WarmupSteps,
                Optimizer = optimizer ?? options.Optimizer,
                Width = size?.Width ?? options.Width,
                Height = size?.Height ?? options.Height,
                Buckets = parsed.GetValue(_buckets) || options.Buckets,
                Resolutions = parsed.GetValue(_resolutions) is { Length: > 0 } sides ? sides : options.Resolutions,
                AdapterDropout = parsed.GetValue(_dropout) ?? options.AdapterDropout,
                Seed = parsed.GetValue(_seed) ?? options.Seed,
                CheckpointFolder = folder is null ? null : Path.Combine(folder, TrainFolder.Checkpoints),
                CacheFolder = parsed.GetValue(_cache) ?? options.CacheFolder ?? (folder is null ? null : Path.Combine(folder, TrainFolder.Cache)),
                CheckpointSteps = parsed.GetValue(_checkpointSteps) ?? options.CheckpointSteps,
                KeepCheckpoints = parsed.GetValue(_keep) ?? options.KeepCheckpoints,
                ReportEvery = parsed.GetValue(_report) ?? options.ReportEvery,
                ValidateEvery = parsed.GetValue(_validateEvery) ?? options.ValidateEvery,
            });
            return training.Resolutions.Count == 0 || training.Buckets
                ? training
                : throw new UsageException("'--resolutions' is for frames of several sizes, but there is no '--buckets'.");
        }
        catch (ArgumentException e)
        {
            throw new UsageException(ErrorText.OneLine(e).Replace("Option Targets", "Option '--targets'", StringComparison.Ordinal), e);
        }
    }

    private LoraOptions Adapter(ParseResult parsed, LoraOptions options) => options with
    {
        Rank = parsed.GetValue(_rank) ?? options.Rank,
        Alpha = parsed.GetValue(_alpha) ?? options.Alpha,
        Targets = parsed.GetValue(_targets) is { Length: > 0 } names
            ? [.. names.SelectMany(n => n is "attention" or "all" ? LoraOptions.Preset(n).Targets! : [n]).Distinct()]
            : options.Targets,
        Condition = parsed.GetValue(_condition) is { } condition ? Conditions[condition] : options.Condition,
        Seed = parsed.GetValue(_seed) ?? options.Seed,
    };

    private static Option<string[]> Several(string name, string description, string helpName) => new(name)
    {
        Description = description,
        HelpName = helpName,
        AllowMultipleArgumentsPerToken = true,
    };

    private static Option<string?> Column(string name, string what, string usual) => new(name)
    {
        Description = $"The column with {what}; '{usual}' if left out.",
        HelpName = "NAME",
    };

    private static Option<string?> Choice(string name, string description, IEnumerable<string> values)
    {
        Option<string?> option = new(name) { Description = description, HelpName = string.Join('|', values) };
        option.AcceptOnlyFromAmong([.. values]);
        return option;
    }
}
