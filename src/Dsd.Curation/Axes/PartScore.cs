using System.Text.Json.Serialization;
using Dsd.Common.Options;

namespace Dsd.Curation.Axes;

/// <summary>A part of the subject, how it differs between the two pictures, and a score.</summary>
public sealed record PartScore
{
    /// <summary>The part, such as 'ears'.</summary>
    [JsonPropertyName("name"), JsonPropertyOrder(0)]
    public required string Name { get; init; }

    /// <summary>How it differs. Pose, view and light do not count. 'none' where it does not.</summary>
    [JsonPropertyName("differences"), JsonPropertyOrder(1)]
    public required string Differences { get; init; }

    /// <summary>0 (another part) to 4 (the same).</summary>
    [JsonPropertyName("score"), JsonPropertyOrder(2)]
    public required int Score { get; init => field = OptionCheck.Range(value, 0, PairAxes.Most, nameof(Score)); }
}
