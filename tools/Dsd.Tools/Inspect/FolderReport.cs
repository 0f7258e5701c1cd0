namespace Dsd.Tools.Inspect;

/// <summary>What is in a model folder of diffusers' layout: a pipeline, a release of some components, or a single component.</summary>
internal sealed record FolderReport
{
    /// <summary>The kind of report, for readers of the JSON.</summary>
    public string Report { get; } = "model-folder";

    /// <summary>The folder.</summary>
    public required string Path { get; init; }

    /// <summary>The pipeline's class; null where the folder has no <c>model_index.json</c>.</summary>
    public string? Pipeline { get; init; }

    /// <summary>The components.</summary>
    public required ComponentReport[] Components { get; init; }

    /// <summary>Safetensors files in the folder itself, such as adapters.</summary>
    public required WeightsReport[] Files { get; init; }

    /// <summary>Elements of all components' weights.</summary>
    public required long Parameters { get; init; }

    /// <summary>Bytes of all components' weights.</summary>
    public required long Bytes { get; init; }

    /// <summary>What the folder as a whole lacks.</summary>
    public required string[] Warnings { get; init; }
}
