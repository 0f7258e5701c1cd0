using Dsd.Models.Sampling;

namespace Dsd.Models.Training.Cache;

/// <summary>One of the sizes that examples have.</summary>
/// <param name="Frames">The frames in pixels.</param>
/// <param name="Canvas">Both together.</param>
internal sealed record Bucket(TwoFrames Frames, Canvas Canvas);
