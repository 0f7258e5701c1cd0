namespace Dsd.Models.Training.Planning;

/// <summary>What a network weighs while an adapter over it is trained: what a <see cref="TrainingPlanner"/> reckons with.</summary>
public sealed record TrainingLoad
{
    /// <summary>The linear layers that adapters may lie over, by module name: [outputs, inputs].</summary>
    public required IReadOnlyDictionary<string, long[]> Layers { get; init; }

    /// <summary>Endings of the layers that a new adapter adapts where nobody says otherwise.</summary>
    public required IReadOnlyList<string> AdapterTargets { get; init; }

    /// <summary>Blocks that can be recomputed, streamed and held in eight bits.</summary>
    public required int Blocks { get; init; }

    /// <summary>Channels of the stream.</summary>
    public required long Width { get; init; }

    /// <summary>Weights of all blocks, modulations apart.</summary>
    public required long BlockWeights { get; init; }

    /// <summary>Weights of the largest block, modulations apart.</summary>
    public required long LargestBlock { get; init; }

    /// <summary>Weights of the two kinds of places that blocks pass through, two of each kind.</summary>
    public required long PlaceWeights { get; init; }

    /// <summary>Weights of the blocks' modulations.</summary>
    public required long ModulationWeights { get; init; }

    /// <summary>Weights before and after the blocks.</summary>
    public required long EndWeights { get; init; }

    /// <summary>
    /// Whether blocks under an adapter of a layer still go back by code of the network's own, which keeps less than torch's graphs do: by the layer's name.
    /// </summary>
    public required Func<string, bool> KeepsNoGraph { get; init; }

    /// <summary>Times a step on the device, in seconds, without the model's weights; null for a family that cannot.</summary>
    internal Func<StepRehearsal, double>? Rehearse { get; init; }
}
