using Dsd.Models.Sampling;

namespace Dsd.MLNet.Execution;

/// <summary>What exports models to ONNX and opens them.</summary>
internal interface IOnnxBackend
{
    /// <summary>Refuses options with which the models could not be written or loaded. Only headers are read.</summary>
    /// <param name="options">The options.</param>
    /// <param name="tuned">Whether the input brings an adapter.</param>
    void Check(DsdGeneratorOptions options, bool tuned);

    /// <summary>Writes the models into a folder, whole or not at all; an earlier export there is replaced.</summary>
    void Export(DsdGeneratorOptions options, string? loraFile, string folder, CancellationToken cancellationToken);

    /// <summary>The name of the LoRA file that a folder's export has merged; null where there is no export or no LoRA in it.</summary>
    string? MergedLora(string folder);

    IDsdModel Open(string folder, DsdGeneratorOptions options, Action<string> warn);
}
