using Dsd.Common.Options;
using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Training.Parallel;
using Dsd.Models.Training.Planning;
using static TorchSharp.torch;

namespace Dsd.Models.Benchmark;

/// <summary>What a <see cref="TrainingBenchmark"/> measures.</summary>
public sealed record TrainingBenchmarkOptions
{
    /// <summary>The transformer's shape. Its weights are random.</summary>
    public required FluxConfig Config { get; init; }

    /// <summary>Where to compute. Null, the default, is the CPU.</summary>
    public Device? Device { get; init; }

    /// <summary>The type of weights and computation. Default float32.</summary>
    public ScalarType DType { get; init; } = ScalarType.Float32;

    /// <summary>Rows of image tokens, 1 to 4096.</summary>
    public required int Rows { get; init => field = OptionCheck.Range(value, 1, 4096, nameof(Rows)); }

    /// <summary>Columns of image tokens, over both frames; 1 to 4096.</summary>
    public required int Columns { get; init => field = OptionCheck.Range(value, 1, 4096, nameof(Columns)); }

    /// <summary>Text tokens, 1 to 512.</summary>
    public required int TextTokens { get; init => field = OptionCheck.Range(value, 1, 512, nameof(TextTokens)); }

    /// <summary>Pairs a step, at least 1. Default 1.</summary>
    public int BatchSize { get; init => field = OptionCheck.Range(value, 1, 1024, nameof(BatchSize)); } = 1;

    /// <summary>Rank of the adapter, 1 to 4096. Default 128.</summary>
    public int Rank { get; init => field = OptionCheck.Range(value, 1, 4096, nameof(Rank)); } = 128;

    /// <summary>The layers that the adapter lies over, as <see cref="LoraOptions.Targets"/>. Null, the default: what the network's family adapts.</summary>
    public IReadOnlyList<string>? Targets { get; init; }

    /// <summary>Steps that are measured, after three that are not; at least 1. Default 10.</summary>
    public int Steps { get; init => field = OptionCheck.Range(value, 1, 100000, nameof(Steps)); } = 10;

    /// <summary>
    /// The processes that take each step together, each with <see cref="BatchSize"/> pairs on a GPU of its own. It stays the caller's. Null, the default, is
    /// this process alone.
    /// </summary>
    public TrainingGroup? Group { get; init; }

    /// <summary>The settings, one after another. Default all of <see cref="TrainingSetting.All"/> that the device can do.</summary>
    public IReadOnlyList<TrainingSetting>? Settings { get; init; }
}
