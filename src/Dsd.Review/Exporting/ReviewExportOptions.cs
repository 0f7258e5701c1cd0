using Dsd.Common.Options;

namespace Dsd.Review.Exporting;

/// <summary>How a review page is written as files.</summary>
public sealed record ReviewExportOptions
{
    /// <summary>The most pairs that are written, 1 to 5000. Of more, so many are taken at equal distances. Default 500.</summary>
    public int MostPairs { get; init => field = OptionCheck.Range(value, 1, 5000, nameof(MostPairs)); } = 500;

    /// <summary>Panels whose longer side exceeds this many pixels are scaled down to it, 64 to 4096. Default 768.</summary>
    public int MaxSide { get; init => field = OptionCheck.Range(value, 64, 4096, nameof(MaxSide)); } = 768;
}
