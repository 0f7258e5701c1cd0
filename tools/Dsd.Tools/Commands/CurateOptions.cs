using System.CommandLine;
using Dsd.Curation.Chat;
using Dsd.Curation.Grids;
using Dsd.Curation.Presets;
using Dsd.Curation.Tasks;
using Dsd.Models.Families;
using Dsd.Models.Sampling;
using Dsd.Runs;
using Dsd.Tiny;
using Dsd.Tools.Curate;
using Microsoft.Extensions.AI;

namespace Dsd.Tools.Commands;

/// <summary>The options that say what a curation run does with its captions: task, teacher, chat models.</summary>
internal sealed class CurateOptions
{
    private readonly TorchModelOptions _torch = new();
    private readonly GateOptions _gate = new();
    private readonly Option<string> _task = new("--task")
    {
        Description = $"What the dataset is about: {string.Join(", ", CurationTask.Known)}, or a JSON file.",
        HelpName = "NAME|FILE.json",
        DefaultValueFactory = _ => "character",
    };
    private readonly Option<GridLayout?> _layout = new("--layout")
    {
        Description = "Rows and columns of a grid; as the task says if left out, and 1x2 for the embedded model.",
        HelpName = "RxC",
        CustomParser = Layout,
    };
    private readonly Option<string?> _chat = new("--chat")
    {
        Description = "A JSON file with the chat models that judge, and perhaps write prompts and caption panels. Left out: the embedded judge, "
            + "templates, and the grid's prompt.",
        HelpName = "FILE.json",
    };
    private readonly Option<int> _prompts = new Option<int>("--prompts")
    {
        Description = "Grids for each caption.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    }.Between(1, 256);
    private readonly Option<long> _seed = new("--seed") { Description = "Mixed into each grid's seed; 0 if left out.", HelpName = "N" };
    private readonly Option<int> _batch = new Option<int>("--batch")
    {
        Description = "Grids that are drawn together.",
        HelpName = "N",
        DefaultValueFactory = _ => 4,
    }.Between(1, 256);
    private readonly Option<int> _judges = new Option<int>("--judges")
    {
        Description = "Pairs that are judged at the same time. Each model has a limit of its own besides, in the file of '--chat'.",
        HelpName = "N",
        DefaultValueFactory = _ => 16,
    }.Between(1, 4096);
    private readonly Option<int?> _steps = new("--steps") { Description = "Euler steps of a grid; 28 if left out.", HelpName = "N" };
    private readonly Option<float?> _guidance = new("--guidance")
    {
        Description = "Distilled guidance, for models that take it; 3.5 if left out.",
        HelpName = "X",
    };
    private readonly Option<PictureSize?> _size = PictureSize.Option(
        $"Size of a grid; 1024x1024 if left out, and {TinyModel.PanelSize} pixels a panel for the embedded model.");
    private readonly Option<string> _device = DeviceOption.Create();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _task, _layout, _chat, _prompts, _seed, _batch, _judges, _steps, _guidance, _size, _device })
        {
            command.Options.Add(option);
        }
        _gate.AddTo(command);
        _torch.AddTo(command);
    }

    /// <summary>The gate before the judge; null where none is asked for.</summary>
    /// <exception cref="UsageException">Its options contradict each other.</exception>
    /// <exception cref="Dsd.Models.Weights.WeightsException">The encoder's folder is none.</exception>
    public GateOptions.Gate? Gate(ParseResult parsed, Action<string> warn) => _gate.Open(parsed, warn);

    /// <summary>The options of the run, and the chat models' settings, which are part of them.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="shard">Which captions are this process's.</param>
    /// <exception cref="InvalidDataException">The task's or the chat models' file is wrong.</exception>
    public (RunOptions Run, ChatSettings Chat) Run(ParseResult parsed, Shard shard)
    {
        ChatSettings chat = parsed.GetValue(_chat) is { } file ? ChatSettings.Load(file) : ChatSettings.Only(TinyModel.Name);
        CurationTask task;
        try
        {
            task = CurationTask.Load(parsed.GetRequiredValue(_task));
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"Option '--task': {e.Message}", e);
        }
        CurationPreset preset = CurationPresets.Of(Model(parsed));
        RunOptions options = new()
        {
            Task = preset.Templates is { } templates ? task with { Templates = templates() } : task,
            Layout = parsed.GetValue(_layout) ?? preset.TaskLayout,
            PromptsPerCaption = parsed.GetValue(_prompts),
            Seed = parsed.GetValue(_seed),
            Shard = shard,
            BatchSize = parsed.GetValue(_batch),
            Judges = parsed.GetValue(_judges),
            DependsOn = chat.Fingerprint(),
        };
        if (preset.Layouts.Count > 0 && !preset.Layouts.Contains(options.GridLayout))
        {
            throw new UsageException(
                $"The {preset.Title} draws grids of {string.Join(" and ", preset.Layouts)} panels, but '--layout' or the task asks for {options.GridLayout}.");
        }
        return (options, chat);
    }

    /// <summary>The chat models in their roles.</summary>
    /// <param name="options">The run.</param>
    /// <param name="chat">The settings.</param>
    public static ChatRoles Roles(RunOptions options, ChatSettings chat) => ChatRoles.Open(chat, options.Task, known: Known);

    /// <summary>Looks at what <see cref="Teacher"/> is asked for, before a folder is made or gigabytes are loaded.</summary>
    /// <exception cref="UsageException">A value is out of range, or the model cannot do what is asked.</exception>
    public void CheckTeacher(ParseResult parsed, GridLayout layout)
    {
        string model = Model(parsed);
        _torch.Pipeline(parsed, parsed.GetRequiredValue(_device), conditional: false, _ => { });
        Grid(parsed, layout);
        NetworkTraits traits = ModelCheck.Traits(ModelPresets.Resolve(model));
        if (parsed.GetValue(_guidance) is not null && !traits.Guidance)
        {
            throw new UsageException($"The model '{model}' takes no distilled guidance, so leave '--guidance' out.");
        }
    }

    /// <summary>The teacher, loaded.</summary>
    /// <exception cref="UsageException">A value is out of range.</exception>
    public GridTeacher Teacher(ParseResult parsed, GridLayout layout, Action<string> warn)
    {
        string model = Model(parsed);
        PipelineOptions how = _torch.Pipeline(parsed, parsed.GetRequiredValue(_device), conditional: false, warn);
        TextToImageOptions options = Grid(parsed, layout);
        return new GridTeacher(TextToImagePipeline.Load(ModelPresets.Resolve(model), how), Path.GetFileName(Path.TrimEndingDirectorySeparator(model)), options);
    }

    private TextToImageOptions Grid(ParseResult parsed, GridLayout layout) => CheckedOptions.Build(() =>
    {
        TextToImageOptions defaults = ModelPresets.Of(Model(parsed)).Grid(layout.Rows, layout.Columns);
        return defaults with
        {
            Width = parsed.GetValue(_size)?.Width ?? defaults.Width,
            Height = parsed.GetValue(_size)?.Height ?? defaults.Height,
            Steps = parsed.GetValue(_steps) ?? defaults.Steps,
            Guidance = parsed.GetValue(_guidance) ?? defaults.Guidance,
            BlockCache = _torch.BlockCache(parsed),
        };
    });

    private string Model(ParseResult parsed) => _torch.Model(parsed) ?? TinyModel.Name;

    private static IChatClient? Known(string name) => CurationPresets.Find(name)?.Judge?.Invoke();

    private static GridLayout? Layout(System.CommandLine.Parsing.ArgumentResult result)
    {
        if (GridLayout.TryParse(result.Tokens[0].Value, out GridLayout? layout))
        {
            return layout;
        }
        result.AddError($"Option '--layout' must be rows and columns of 2 to {GridLayout.MaxPanels} panels, such as 2x2, but is '{result.Tokens[0].Value}'.");
        return null;
    }
}
