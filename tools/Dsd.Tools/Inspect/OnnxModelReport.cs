namespace Dsd.Tools.Inspect;

/// <summary>What an ONNX model takes and gives.</summary>
internal sealed record OnnxModelReport
{
    /// <summary>The kind of report, for readers of the JSON.</summary>
    public string Report { get; } = "onnx-model";

    /// <summary>The file, as it was asked for or relative to the folder.</summary>
    public required string Path { get; init; }

    /// <summary>The version of the operator set of the default domain; 0 where the file states none.</summary>
    public required long Opset { get; init; }

    /// <summary>How many operators the graph has.</summary>
    public required int Nodes { get; init; }

    /// <summary>How many there are of each, the most frequent first; those of other domains than ONNX's own with the domain in front.</summary>
    public required IReadOnlyDictionary<string, int> Operators { get; init; }

    /// <summary>What the model says of itself.</summary>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    /// <summary>Elements of all weights.</summary>
    public required long Parameters { get; init; }

    /// <summary>Bytes of the file and of weights beside it.</summary>
    public required long Bytes { get; init; }

    /// <summary>What it takes.</summary>
    public required OnnxValue[] Inputs { get; init; }

    /// <summary>What it gives.</summary>
    public required OnnxValue[] Outputs { get; init; }

    /// <summary>What is missing.</summary>
    public required string[] Warnings { get; init; }
}
