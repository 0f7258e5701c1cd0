using static TorchSharp.torch;

namespace Dsd.Models.Residency;

/// <summary>Where the weights of a transformer are made. Null is the CPU.</summary>
/// <param name="Ends">Of the layers before and after the blocks.</param>
/// <param name="Blocks">Of the blocks.</param>
/// <param name="IdleModulations">
/// Whether the blocks' modulations lie on the host, and are brought to where their input is each time: they are needed once a generation.
/// </param>
/// <param name="OwnModulations">
/// Where the blocks' modulations lie, if not with the blocks: in training each step needs them, while the blocks pass through.
/// </param>
internal sealed record WeightPlaces(Device? Ends, Device? Blocks, bool IdleModulations = false, Device? OwnModulations = null)
{
    /// <summary>Where the blocks' modulations lie.</summary>
    public Device? Modulations => OwnModulations ?? Blocks;
}
