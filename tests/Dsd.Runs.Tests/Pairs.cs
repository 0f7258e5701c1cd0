using Dsd.Curation.Axes;

namespace Dsd.Runs.Tests;

/// <summary>Scores by axes for tests.</summary>
internal static class Pairs
{
    /// <summary>Scores that are the same on every axis, unless they are given.</summary>
    public static PairAxes Axes(int all, int? lowestPart = null, int? quality = null) => new()
    {
        Subject = "a fox",
        Parts =
        [
            new PartScore { Name = "tail", Differences = "none", Score = 4 }, new PartScore { Name = "ears", Differences = "some", Score = lowestPart ?? all },
        ],
        ObjectConsistency = all,
        ImageQuality = quality ?? all,
        Composition = all,
        PromptAdherence = all,
    };
}
