using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Common.Options;

namespace Dsd.Curation.Judging;

/// <summary>What a judge says about two images, in the order in which it is asked to think (arXiv 2411.18616, section 3.1).</summary>
/// <remarks>
/// Its JSON form, which <see cref="VerdictFormat"/> describes and reads, is
/// <c>{"subject", "description_a", "description_b", "differences", "same", "confidence", "flags"}</c>.
/// </remarks>
public sealed record Verdict
{
    /// <summary>The subject that both images have in common, or 'none'.</summary>
    [JsonPropertyName("subject"), JsonPropertyOrder(0)]
    public required string Subject { get; init; }

    /// <summary>How image A shows the subject.</summary>
    [JsonPropertyName("description_a"), JsonPropertyOrder(1)]
    public required string DescriptionA { get; init; }

    /// <summary>How image B shows the subject.</summary>
    [JsonPropertyName("description_b"), JsonPropertyOrder(2)]
    public required string DescriptionB { get; init; }

    /// <summary>What tells the two subjects apart; pose, place and light do not count. Empty when nothing does.</summary>
    [JsonPropertyName("differences"), JsonPropertyOrder(3)]
    public required IReadOnlyList<string> Differences { get; init; }

    /// <summary>Whether both images show the very same subject.</summary>
    [JsonPropertyName("same"), JsonPropertyOrder(4)]
    public required bool Same { get; init; }

    /// <summary>How sure the judge is of <see cref="Same"/>, 0 to 1.</summary>
    [JsonPropertyName("confidence"), JsonPropertyOrder(5)]
    public required double Confidence { get; init => field = OptionCheck.Range(value, 0.0, 1.0, nameof(Confidence)); }

    /// <summary>Faults of the images in single words, such as 'blank' or 'near_copy'. Usually empty.</summary>
    [JsonPropertyName("flags"), JsonPropertyOrder(6)]
    public required IReadOnlyList<string> Flags { get; init; }

    /// <summary>
    /// The verdict as the JSON that <see cref="VerdictFormat.Parse(string?)"/> reads; that of a very long one only <see cref="FromJson"/>,
    /// since signs take up to six characters in it.
    /// </summary>
    public string ToJson() => JsonSerializer.Serialize(this, VerdictJson.Default.Verdict);

    /// <summary>Reads what <see cref="ToJson"/> wrote, as strictly as an answer.</summary>
    /// <exception cref="VerdictFormatException">It is no verdict; the message names the field.</exception>
    public static Verdict FromJson(string json) => VerdictFormat.Parse(json, VerdictFormat.MaxWrittenLength);
}

[JsonSerializable(typeof(Verdict))]
internal sealed partial class VerdictJson : JsonSerializerContext;
