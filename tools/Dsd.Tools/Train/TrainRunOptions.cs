using Dsd.Common.Options;
using Dsd.Models.Lora;
using Dsd.Models.Training.Planning;

namespace Dsd.Tools.Train;

/// <summary>
/// The options of <c>dsd train</c> that are not the library's <see cref="Models.Training.LoraTrainingOptions"/>: an options file holds both, and the command
/// line goes before it. Null is what nobody has said.
/// </summary>
internal sealed record TrainRunOptions
{
    /// <summary>The setting that is chosen by what fits.</summary>
    public const string Auto = "auto";

    /// <summary>What <see cref="Setting"/> may be.</summary>
    public static IReadOnlyList<string> Settings { get; } = [Auto, .. TrainingSetting.All.Select(s => s.Name)];

    /// <summary>What <see cref="Names"/> may be.</summary>
    public static IReadOnlyDictionary<string, LoraNames> NamesByWord { get; } =
        new Dictionary<string, LoraNames> { ["diffusers"] = LoraNames.Diffusers, ["comfyui"] = LoraNames.ComfyUI };

    /// <summary>A model's folder, or the name of a preset.</summary>
    public string? Model { get; init => field = OptionCheck.TextOrNull(value, nameof(Model)); }

    /// <summary>Datasets of pairs.</summary>
    public IReadOnlyList<string> Pairs { get; init => field = OptionCheck.Texts(value, 0, nameof(Pairs)); } = [];

    /// <summary>The run's folder.</summary>
    public string? Out { get; init => field = OptionCheck.TextOrNull(value, nameof(Out)); }

    /// <summary>cpu, cuda or cuda:N.</summary>
    public string? Device
    {
        get;
        init => field = value is null || DeviceOption.IsName(value)
            ? value
            : throw new ArgumentException($"Option {nameof(Device)} must be cpu, cuda or cuda:N, but is '{value}'.");
    }

    /// <summary>Processes on this machine, one a GPU.</summary>
    public int? Gpus { get; init => field = OptionCheck.RangeOrNull(value, 1, 64, nameof(Gpus)); }

    /// <summary>What of the base model lies where: a setting's name, or <see cref="Auto"/>.</summary>
    public string? Setting
    {
        get;
        init => field = value is null || Settings.Contains(value)
            ? value
            : throw new ArgumentException($"Option {nameof(Setting)} must be one of {string.Join(", ", Settings)}, but is '{value}'.");
    }

    /// <summary>GiB of the device's memory that may be taken.</summary>
    public double? MemoryGib { get; init => field = OptionCheck.RangeOrNull(value, 0.001, 100000, nameof(MemoryGib)); }

    /// <summary>The split of <see cref="Pairs"/>.</summary>
    public string? Split { get; init => field = OptionCheck.TextOrNull(value, nameof(Split)); }

    /// <summary>The column with the target.</summary>
    public string? ImageColumn { get; init => field = OptionCheck.TextOrNull(value, nameof(ImageColumn)); }

    /// <summary>The column with the reference.</summary>
    public string? ConditioningColumn { get; init => field = OptionCheck.TextOrNull(value, nameof(ConditioningColumn)); }

    /// <summary>The column with what the target shows.</summary>
    public string? CaptionColumn { get; init => field = OptionCheck.TextOrNull(value, nameof(CaptionColumn)); }

    /// <summary>Whether columns beside these three are read.</summary>
    public bool? ReadDetails { get; init; }

    /// <summary>A dataset of held-out pairs.</summary>
    public string? Validate { get; init => field = OptionCheck.TextOrNull(value, nameof(Validate)); }

    /// <summary>The split of <see cref="Validate"/>.</summary>
    public string? ValidateSplit { get; init => field = OptionCheck.TextOrNull(value, nameof(ValidateSplit)); }

    /// <summary>Whose names the adapter's file has. One of <see cref="NamesByWord"/>.</summary>
    public string? Names
    {
        get;
        init => field = value is null || NamesByWord.ContainsKey(value)
            ? value
            : throw new ArgumentException($"Option {nameof(Names)} must be {string.Join(" or ", NamesByWord.Keys)}, but is '{value}'.");
    }

    /// <summary>Prompts to draw.</summary>
    public IReadOnlyList<string> Samples { get; init => field = OptionCheck.Texts(value, 0, nameof(Samples)); } = [];

    /// <summary>The reference for these.</summary>
    public string? SampleReference { get; init => field = OptionCheck.TextOrNull(value, nameof(SampleReference)); }

    /// <summary>Steps between two drawings of these.</summary>
    public long? SampleEvery { get; init => field = OptionCheck.RangeOrNull(value, 1, long.MaxValue, nameof(SampleEvery)); }

}
