using Dsd.Common.Options;
using Dsd.Models.Sampling;
using Dsd.Models.Training.Planning;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Training;

/// <summary>How the base model is loaded that an adapter is trained over: where, in which type, and what of it lies where.</summary>
public sealed record TrainingBase
{
    /// <summary>Where training runs. Null, the default, is the CPU.</summary>
    public Device? Device { get; init; }

    /// <summary>The type of the base's weights, and of what is computed with them. Null, the default: bfloat16 on a GPU, float32 on the CPU.</summary>
    public ScalarType? DType
    {
        get;
        init => field = value is { } type ? OptionCheck.OneOf(type, nameof(DType), ScalarType.Float32, ScalarType.BFloat16) : null;
    }

    /// <summary>
    /// What of the base lies where: the name of one of <see cref="TrainingSetting.All"/>. Null, the default: the fastest that fits
    /// <see cref="MemoryBytes"/>; on the CPU <see cref="TrainingSetting.Whole"/>.
    /// </summary>
    public string? Setting
    {
        get;
        init => field = value is null || TrainingSetting.All.Any(s => s.Name == value)
            ? value
            : throw new ArgumentException(
                $"Option {nameof(Setting)} is '{value}': expected one of {string.Join(", ", TrainingSetting.All.Select(s => s.Name))}.", nameof(Setting));
    }

    /// <summary>The most bytes of the GPU's memory that may be taken. Null, the default: what is free when the plan is made.</summary>
    public long? MemoryBytes { get; init => field = OptionCheck.RangeOrNull(value, 1L, long.MaxValue, nameof(MemoryBytes)); }

    /// <summary>A file with the network's weights in place of the folder's: <see cref="PipelineOptions.TransformerFile"/>. Default none.</summary>
    public string? TransformerFile { get; init => field = OptionCheck.TextOrNull(value, nameof(TransformerFile)); }

    /// <summary>Called with a warning, a full sentence. Null, the default: nobody is warned.</summary>
    public Action<string>? Warn { get; init; }

    private bool IsOnGpu => Device is { type: DeviceType.CUDA };

    /// <summary>The options to load with in a setting.</summary>
    internal PipelineOptions Pipeline(TrainingSetting setting) => setting.Apply(new PipelineOptions
    {
        Device = Device,
        DType = DType ?? (IsOnGpu ? ScalarType.BFloat16 : ScalarType.Float32),
        TransformerFile = TransformerFile,
        Warn = Warn,
    });
}
