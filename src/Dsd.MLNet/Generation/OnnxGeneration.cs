using Dsd.Common.Options;

namespace Dsd.MLNet;

/// <summary>Exports the model to ONNX, with its adapter merged, and draws with ONNX Runtime.</summary>
public sealed record OnnxGeneration : GeneratorBackend
{
    /// <summary>
    /// Where the ONNX models are written; an earlier export there is replaced, other content refused. It stays, and a saved model refers to
    /// it. Null, the default: a temporary folder, which goes with the transformer; a saved model exports again when it is first used.
    /// </summary>
    public string? Folder { get; init => field = OptionCheck.TextOrNull(value, nameof(Folder)); }
}
