using System.Text.Json;
using System.Text.Json.Serialization;
using Dsd.Common.Options;

namespace Dsd.Curation.Axes;

/// <summary>
/// How a judge scores a pair by each <see cref="PairAxis"/>: parts of the subject as UNO's curation has them (arXiv 2504.02160), whole pictures as
/// Subjects200K's
/// (arXiv 2411.15098). Nothing is decided by it: what is kept is cut when a dataset is written.
/// </summary>
/// <remarks>Its JSON form is described and read by <see cref="AxesFormat"/>.</remarks>
public sealed record PairAxes
{
    /// <summary>The highest score on any axis.</summary>
    public const int Most = 4;

    /// <summary>The subject that both pictures have in common, or 'none'.</summary>
    [JsonPropertyName("subject"), JsonPropertyOrder(0)]
    public required string Subject { get; init; }

    /// <summary>The subject's parts, at least one.</summary>
    [JsonPropertyName("parts"), JsonPropertyOrder(1)]
    public required IReadOnlyList<PartScore> Parts
    {
        get;
        init => field = value is { Count: > 0 } ? [.. value] : throw new ArgumentException($"Option {nameof(Parts)} needs at least one part.", nameof(Parts));
    }

    /// <summary>Whether both show the very same subject, 0 to 4.</summary>
    [JsonPropertyName("object_consistency"), JsonPropertyOrder(2)]
    public required int ObjectConsistency { get; init => field = OptionCheck.Range(value, 0, Most, nameof(ObjectConsistency)); }

    /// <summary>Whether both are clear and free of damage, 0 to 4.</summary>
    [JsonPropertyName("image_quality"), JsonPropertyOrder(3)]
    public required int ImageQuality { get; init => field = OptionCheck.Range(value, 0, Most, nameof(ImageQuality)); }

    /// <summary>Whether each stands alone and they are no copies, 0 to 4.</summary>
    [JsonPropertyName("composition"), JsonPropertyOrder(4)]
    public required int Composition { get; init => field = OptionCheck.Range(value, 0, Most, nameof(Composition)); }

    /// <summary>Whether each shows what its caption says, 0 to 4.</summary>
    [JsonPropertyName("prompt_adherence"), JsonPropertyOrder(5)]
    public required int PromptAdherence { get; init => field = OptionCheck.Range(value, 0, Most, nameof(PromptAdherence)); }

    /// <summary>The score on an axis, 0 to 4.</summary>
    public int this[PairAxis axis] => axis switch
    {
        PairAxis.ObjectConsistency => ObjectConsistency,
        PairAxis.LowestPart => Parts.Min(part => part.Score),
        PairAxis.ImageQuality => ImageQuality,
        PairAxis.Composition => Composition,
        PairAxis.PromptAdherence => PromptAdherence,
        _ => throw new ArgumentOutOfRangeException(nameof(axis), axis, $"There is no axis {axis}."),
    };

    /// <summary>The scores as the JSON that <see cref="AxesFormat.Parse(string?)"/> reads; those of very long texts only <see cref="FromJson"/>.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, AxesJson.Default.PairAxes);

    /// <summary>Reads what <see cref="ToJson"/> wrote, as strictly as an answer.</summary>
    /// <exception cref="FormatException">It is no such JSON; the message names the field.</exception>
    public static PairAxes FromJson(string json) => AxesFormat.Parse(json, AxesFormat.MaxWrittenLength);
}

[JsonSerializable(typeof(PairAxes))]
internal sealed partial class AxesJson : JsonSerializerContext;
