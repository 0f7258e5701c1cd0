using Dsd.Common.Options;

namespace Dsd.Runs.Export;

/// <summary>Which preferences are written.</summary>
public sealed record PreferenceOptions
{
    /// <summary>Which pairs are kept; null, the default, for those that the run and people kept.</summary>
    public PairCut? Cut { get; init; }

    /// <summary>The most rows for one reference panel, 1 to 256. Default 4.</summary>
    public int MostPerReference { get; init => field = OptionCheck.Range(value, 1, 256, nameof(MostPerReference)); } = 4;

    /// <summary>Writes pictures as JPEG of this quality, 1 to 100. Null, the default: as PNG, without loss.</summary>
    public int? JpegQuality { get; init => field = OptionCheck.RangeOrNull(value, 1, 100, nameof(JpegQuality)); }
}
