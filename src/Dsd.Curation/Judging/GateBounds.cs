using System.Globalization;
using Dsd.Common.Options;

namespace Dsd.Curation.Judging;

/// <summary>Between which similarities a pair is judged at all. What lies outside is not kept, and no judge is asked.</summary>
public sealed record GateBounds
{
    /// <summary>The least similarity, −1 to 1: below it the pictures are too different to show one subject. Null, the default, is none.</summary>
    public double? Least { get; init => field = OptionCheck.RangeOrNull(value, -1.0, 1.0, nameof(Least)); }

    /// <summary>The largest similarity, −1 to 1: above it one picture is nearly a copy of the other. Null, the default, is none.</summary>
    public double? Most { get; init => field = OptionCheck.RangeOrNull(value, -1.0, 1.0, nameof(Most)); }

    /// <summary>Checks the bounds against each other.</summary>
    /// <exception cref="ArgumentException">There is none, or nothing lies between them.</exception>
    public void Validate()
    {
        if (Least is null && Most is null)
        {
            throw new ArgumentException($"A gate has {nameof(Least)} or {nameof(Most)}, or both, but neither is set.");
        }
        if (Least > Most)
        {
            throw new ArgumentException($"Option {nameof(Least)} must be at most {nameof(Most)} ({Most}), but is {Least}.");
        }
    }

    /// <summary>The bounds as they stand in a judge's name: <c>0.4..0.98</c>, with nothing where there is none.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Least}..{Most}");
}
