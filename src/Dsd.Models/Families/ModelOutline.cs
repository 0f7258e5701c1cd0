using Dsd.Models.Sampling;
using Dsd.Models.Training.Planning;

namespace Dsd.Models.Families;

/// <summary>What a model would be, as its configs and headers tell.</summary>
public sealed record ModelOutline
{
    /// <summary>The sizes of a picture that the model draws; throws where it does not come out as whole tokens.</summary>
    public required Func<int, int, Canvas> CanvasOf { get; init; }

    /// <summary>How reference and result lie on a canvas.</summary>
    public FrameOrder Frames { get; init; } = FrameOrder.Beside;

    /// <summary>What training an adapter over the network takes; null for a family that cannot say.</summary>
    public TrainingLoad? Training { get; init; }

    /// <summary>File or folder of the network's weights.</summary>
    public required string NetworkWeights { get; init; }

    /// <summary>Whether the names in those weights are this library's own, so that adapters can be compared with them.</summary>
    public bool NamesAreOwn { get; init; } = true;
}
