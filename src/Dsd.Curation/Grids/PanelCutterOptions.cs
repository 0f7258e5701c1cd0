using Dsd.Common.Options;

namespace Dsd.Curation.Grids;

/// <summary>How a grid is cut into panels.</summary>
public sealed record PanelCutterOptions
{
    /// <summary>Width of every panel in pixels, 1 to 4096. Null, the default: the narrowest panel found.</summary>
    public int? PanelWidth { get; init => field = OptionCheck.RangeOrNull(value, 1, 4096, nameof(PanelWidth)); }

    /// <summary>Height of every panel in pixels, 1 to 4096. Null, the default: the lowest panel found.</summary>
    public int? PanelHeight { get; init => field = OptionCheck.RangeOrNull(value, 1, 4096, nameof(PanelHeight)); }

    /// <summary>
    /// The widest border or half gutter that is trimmed, as a part of the panel's side, 0 to 0.25. A wider uniform band is taken for
    /// background and kept. 0 cuts at equal distances and trims nothing. Default 0.08.
    /// </summary>
    public double MaxTrim { get; init => field = OptionCheck.Range(value, 0.0, 0.25, nameof(MaxTrim)); } = 0.08;

    /// <summary>How far a channel (0 to 255) may lie from its line's mean for the line to count as uniform, 0 to 64. Default 10.</summary>
    public int Tolerance { get; init => field = OptionCheck.Range(value, 0, 64, nameof(Tolerance)); } = 10;
}
