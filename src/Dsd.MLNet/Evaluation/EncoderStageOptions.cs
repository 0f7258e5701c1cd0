using System.Text.Json.Serialization;
using Dsd.Common.Options;
using Dsd.Evaluation.Encoders;
using Dsd.MLNet.Stages;
using Dsd.MLNet.Stages.Rows;
using Dsd.Onnx.Runtime;

namespace Dsd.MLNet;

/// <summary>What the stages that measure pictures have in common: the encoder, and where and how it runs.</summary>
public abstract record EncoderStageOptions
{
    /// <summary>
    /// The folder of an exported encoder (<see cref="EncoderExporter"/>, <c>dsd export --encoder</c>). A saved model keeps the path, not the weights.
    /// </summary>
    public required string Encoder { get; init => field = OptionCheck.Text(value, nameof(Encoder)); }

    /// <summary>
    /// Where to compute: <c>cpu</c>, or any other of ONNX Runtime's devices, or several with commas between, each for when those before it cannot
    /// be had: <c>cuda,cpu</c>. Null, the default: the GPU that <c>MLContext.GpuDeviceId</c> names, and the
    /// processor where it names none. Without that GPU, <c>MLContext.FallbackToCpu</c> says whether the processor takes its place or an error is given.
    /// The device that is given here goes before the context's, and is an error where it is missing.
    /// </summary>
    public string? Device { get; init => field = value is null ? null : StageOptionCheck.OnnxDevice(value, nameof(Device)); }

    /// <summary>What runs the network. Default <see cref="EmbeddingScoring.Automatic"/>.</summary>
    public EmbeddingScoring Scoring { get; init => field = OptionCheck.Defined(value, nameof(Scoring)); }

    /// <summary>
    /// How ONNX Runtime runs: threads, memory. Default: as it does by itself. Devices and warnings are the stage's, so they must be left out here.
    /// </summary>
    public OnnxRuntimeOptions Runtime { get; init => field = StageOptionCheck.Runtime(value, nameof(Runtime)); } = new();

    /// <summary>
    /// Rows that are computed together with <see cref="EmbeddingScoring.OnnxRuntime"/>, 1 to 256. Reading one row then computes those after it too. Default 16.
    /// </summary>
    public int BatchSize { get; init => field = OptionCheck.Range(value, 1, 256, nameof(BatchSize)); } = 16;

    /// <summary>What becomes of rows that cannot be measured because of what they hold. Default <see cref="BadRows.Fail"/>.</summary>
    public BadRows BadRows { get; init => field = OptionCheck.Defined(value, nameof(BadRows)); }

    /// <summary>The added text column that says what is wrong with a row, for <see cref="BadRows.Mark"/>. Default <c>Error</c>.</summary>
    public string ErrorColumn { get; init => field = OptionCheck.Text(value, nameof(ErrorColumn)); } = "Error";

    /// <summary>Stops the work between two pictures, or within a batch. A context that ML.NET cancels, as AutoML does, stops it too. Not saved.</summary>
    [JsonIgnore]
    public CancellationToken CancellationToken { get; init; }

    /// <summary>What becomes of bad rows, and how many rows are made of one.</summary>
    internal RowPolicy Policy => new(BadRows, ErrorColumn);
}
