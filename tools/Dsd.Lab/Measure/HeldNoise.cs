using System.Text.Json.Serialization;

namespace Dsd.Lab.Measure;

/// <summary>How much noise a panel carries that is held at a true picture while the others are drawn.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<HeldNoise>))]
internal enum HeldNoise
{
    /// <summary>None in any step.</summary>
    Clean,

    /// <summary>As much as the others in each step, always the same noise: what drawing a whole grid is like.</summary>
    Step,
}
