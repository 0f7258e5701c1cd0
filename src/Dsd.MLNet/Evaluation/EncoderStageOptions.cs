using System.Text.Json.Serialization;
using Dsd.Common.Options;
using Dsd.Evaluation.Encoders;
using Dsd.MLNet.Stages;
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
    /// Where to compute: <c>cpu</c>, the default, or any other of ONNX Runtime's devices, or several with commas between, each for when those before it cannot
    /// be had: <c>cuda,cpu</c>.
    /// </summary>
    public string Device { get; init => field = StageOptionCheck.OnnxDevice(value, nameof(Device)); } = "cpu";

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

    /// <summary>Stops the work between two pictures, or within a batch. A context that ML.NET cancels, as AutoML does, stops it too. Not saved.</summary>
    [JsonIgnore]
    public CancellationToken CancellationToken { get; init; }
}
