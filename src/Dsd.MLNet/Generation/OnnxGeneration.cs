using Dsd.Common.Options;
using Dsd.MLNet.Stages;
using Dsd.Onnx.Runtime;

namespace Dsd.MLNet;

/// <summary>Exports the model to ONNX, with its adapter merged, and draws with ONNX Runtime.</summary>
public sealed record OnnxGeneration : GeneratorBackend
{
    /// <summary>
    /// Where the ONNX models are written; an earlier export there is replaced, other content refused. It stays, and a saved model refers to
    /// it. Null, the default: a temporary folder, which goes with the transformer; a saved model exports again when it is first used.
    /// </summary>
    public string? Folder { get; init => field = OptionCheck.TextOrNull(value, nameof(Folder)); }

    /// <summary>
    /// How ONNX Runtime runs the models: threads, memory, libraries of providers. Default: as <see cref="OnnxRuntimeOptions"/> says. Where it computes is the
    /// generator's <see cref="DsdGeneratorOptions.Device"/>, and warnings go to the context's log, so <see cref="OnnxRuntimeOptions.Providers"/>,
    /// <see cref="OnnxRuntimeOptions.Device"/> and <see cref="OnnxRuntimeOptions.Warn"/> must be left out.
    /// </summary>
    public OnnxRuntimeOptions Runtime { get; init => field = StageOptionCheck.Runtime(value, nameof(Runtime)); } = new();
}
