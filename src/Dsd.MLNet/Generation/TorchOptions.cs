using Dsd.MLNet.Stages;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Weights;
using static TorchSharp.torch;

namespace Dsd.MLNet;

/// <summary>How TorchSharp holds a model: what its weights are, in which type, and where they lie. Single values are checked when set, the rest when the model is loaded.</summary>
public sealed record TorchOptions
{
    /// <summary>The type of weights and computation: <c>Float32</c>, the default; <c>BFloat16</c>, what FLUX.1-dev was trained in, for a GPU; <c>Float16</c>.</summary>
    public ScalarType DType { get; init => field = OptionCheck.OneOf(value, nameof(DType), ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16); } = ScalarType.Float32;

    /// <summary>A file with the transformer's weights in place of the model's (<see cref="PipelineOptions.TransformerFile"/>). Null, the default: the model's own.</summary>
    public string? TransformerFile { get; init => field = OptionCheck.TextOrNull(value, nameof(TransformerFile)); }

    /// <summary>A file with the autoencoder's weights in place of the model's (<see cref="PipelineOptions.VaeFile"/>). Null, the default: the model's own.</summary>
    public string? VaeFile { get; init => field = OptionCheck.TextOrNull(value, nameof(VaeFile)); }

    /// <summary>Adapters over the model, besides the one that a generator has from its input or its other options. Default none.</summary>
    public IReadOnlyList<LoraUse> Loras { get; init => field = [.. value ?? throw new ArgumentNullException(nameof(Loras))]; } = [];

    /// <summary>Side in pixels of the tiles in which the autoencoder works on larger pictures (<see cref="PipelineOptions.VaeTileSide"/>). Null, the default, is none.</summary>
    public int? VaeTileSide { get; init; }

    /// <summary>What of the model lies in the GPU's memory. Default: everything. The others need <c>cuda</c>.</summary>
    public MemoryMode Memory { get; init => field = OptionCheck.OneOf(value, nameof(Memory), Enum.GetValues<MemoryMode>()); }

    /// <summary>Whether the transformer computes in eight bits (<see cref="PipelineOptions.Float8"/>). It needs <c>cuda</c> and <c>BFloat16</c>. Default false.</summary>
    public bool Float8 { get; init; }

    internal PipelineOptions Pipeline(Device? device, Action<string> warn) => new()
    {
        Device = device,
        DType = DType,
        TransformerFile = TransformerFile,
        VaeFile = VaeFile,
        Loras = Loras,
        VaeTileSide = VaeTileSide,
        Memory = Memory,
        Float8 = Float8,
        Warn = warn,
    };
}
