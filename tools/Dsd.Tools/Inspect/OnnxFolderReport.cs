namespace Dsd.Tools.Inspect;

/// <summary>What is in a folder of exported ONNX models.</summary>
internal sealed record OnnxFolderReport
{
    /// <summary>The kind of report, for readers of the JSON.</summary>
    public string Report => Manifest == OnnxFolderReader.EncoderManifest ? "encoder-folder" : "onnx-folder";

    /// <summary>The file that describes the folder.</summary>
    public required string Manifest { get; init; }

    /// <summary>The folder.</summary>
    public required string Path { get; init; }

    /// <summary>The plain values of its description.</summary>
    public required IReadOnlyDictionary<string, object> Settings { get; init; }

    /// <summary>What the models were made of; empty where the description does not say it.</summary>
    public required IReadOnlyDictionary<string, object> Source { get; init; }

    /// <summary>The adapters that were merged: their names and strengths.</summary>
    public required IReadOnlyDictionary<string, object> Adapters { get; init; }

    /// <summary>What becomes of a picture before an encoder; empty for models that draw.</summary>
    public required IReadOnlyDictionary<string, object> Preprocessing { get; init; }

    /// <summary>What was compared with the files themselves; null where nothing was asked for.</summary>
    public OnnxVerification? Verified { get; init; }

    /// <summary>The models.</summary>
    public required OnnxModelReport[] Models { get; init; }

    /// <summary>Elements of all models' weights.</summary>
    public required long Parameters { get; init; }

    /// <summary>Bytes of all models.</summary>
    public required long Bytes { get; init; }

    /// <summary>What is missing or broken.</summary>
    public required string[] Warnings { get; init; }
}
