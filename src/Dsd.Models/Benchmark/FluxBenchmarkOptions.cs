using Dsd.Common.Options;
using Dsd.Models.Flux;
using Dsd.Models.Sampling;
using static TorchSharp.torch;

namespace Dsd.Models.Benchmark;

/// <summary>What a <see cref="FluxBenchmark"/> measures.</summary>
public sealed record FluxBenchmarkOptions
{
    /// <summary>The transformer's shape.</summary>
    public required FluxConfig Config { get; init; }

    /// <summary>A pipeline's folder in diffusers' layout, whose transformer is taken. Null, the default: random weights, made on the device.</summary>
    public string? ModelFolder { get; init; }

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

    /// <summary>Steps of a generation, over which shared work is spread; 1 to 1000. Default 28.</summary>
    public int Steps { get; init => field = OptionCheck.Range(value, 1, 1000, nameof(Steps)); } = 28;

    /// <summary>
    /// Also measures all optimisations with weights in eight bits (<see cref="PipelineOptions.Float8"/>), which takes a GPU that can. Default false.
    /// </summary>
    public bool Float8 { get; init; }

    /// <summary>How long each of three rounds of a variant shall take, at least one step. Default two seconds.</summary>
    public TimeSpan Round { get; init; } = TimeSpan.FromSeconds(2);
}
