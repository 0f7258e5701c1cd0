namespace Dsd.Tools.Inspect;

/// <summary>One component of a model folder.</summary>
internal sealed record ComponentReport
{
    /// <summary>The subfolder; empty where the folder itself is the component.</summary>
    public required string Name { get; init; }

    /// <summary>The class that the folder's index or the component's config names; null where neither does.</summary>
    public string? ClassName { get; init; }

    /// <summary>The config's plain values: numbers, switches, words and lists of them.</summary>
    public required IReadOnlyDictionary<string, object> Config { get; init; }

    /// <summary>The weights, where the component has some.</summary>
    public WeightsReport? Weights { get; init; }

    /// <summary>What is missing or contradictory.</summary>
    public required string[] Warnings { get; init; }
}
