using Dsd.Models.Families;
using Dsd.Models.Residency;
using Dsd.Models.Sampling;

namespace Dsd.Models.Training.Planning;

/// <summary>What of a base model lies where while an adapter over it is trained.</summary>
/// <param name="Name">What it is called: in reports, and where it is asked for.</param>
/// <param name="Float8">Whether the blocks' weights are in eight bits: <see cref="PipelineOptions.Float8"/>.</param>
/// <param name="Streamed">Whether the blocks pass through the device from the host's memory, in both directions: <see cref="MemoryMode.Streamed"/>.</param>
/// <param name="Recomputes">Whether all blocks are computed once more on the way back: <see cref="DenoisingNetwork.RecomputedBlocks"/>.</param>
public sealed record TrainingSetting(string Name, bool Float8, bool Streamed, bool Recomputes)
{
    /// <summary>Everything on the device, in the type that the model is loaded in; all graphs are kept. The fastest.</summary>
    public static TrainingSetting Whole { get; } = new("whole", Float8: false, Streamed: false, Recomputes: false);

    /// <summary>The same without the blocks' graphs.</summary>
    public static TrainingSetting Recomputed { get; } = new("recomputed", Float8: false, Streamed: false, Recomputes: true);

    /// <summary>The same with the blocks in eight bits.</summary>
    public static TrainingSetting EightBit { get; } = new("float8", Float8: true, Streamed: false, Recomputes: true);

    /// <summary>The same with the blocks in the host's memory. The smallest.</summary>
    public static TrainingSetting EightBitStreamed { get; } = new("float8-streamed", Float8: true, Streamed: true, Recomputes: true);

    /// <summary>All of them, from the fastest to the smallest.</summary>
    public static IReadOnlyList<TrainingSetting> All { get; } = [Whole, Recomputed, EightBit, EightBitStreamed];

    /// <summary>The options that a model is loaded with for this setting.</summary>
    public PipelineOptions Apply(PipelineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options with { Float8 = Float8, Memory = Streamed ? MemoryMode.Streamed : MemoryMode.Resident, Trains = true };
    }
}
