using Dsd.Common.Options;

namespace Dsd.Lab.Training;

/// <summary>
/// Grids in the teacher's training whose captions say next to nothing of the subject, and some of whose panels carry less noise than the others: only a look
/// at those panels tells who belongs into the others.
/// </summary>
/// <remarks>
/// Where all panels carry the same noise, there is next to nothing to learn from looking across: at high noise the others tell nothing, at low noise a
/// panel tells all by itself.
/// </remarks>
internal sealed record InContextConfig
{
    /// <summary>The share of the grids that are such, 0…1. They always show one subject.</summary>
    public required double Share { get; init => field = OptionCheck.Range(value, 0, 1, nameof(Share)); }

    /// <summary>Of those, the share of examples all of whose panels carry the step's noise and learn, 0…1: so are grids drawn.</summary>
    public required double TogetherShare { get; init => field = OptionCheck.Range(value, 0, 1, nameof(TogetherShare)); }

    /// <summary>Of the rest, the share of examples whose held panels carry no noise at all, 0…1; the others' carry any share of the step's.</summary>
    public required double CleanShare { get; init => field = OptionCheck.Range(value, 0, 1, nameof(CleanShare)); }

    /// <summary>How far the steps of such grids are moved towards noise, beyond the schedule's shift, 0…10: identity is decided where noise is high.</summary>
    public required double NoiseShift { get; init => field = OptionCheck.Range(value, 0, 10, nameof(NoiseShift)); }
}
