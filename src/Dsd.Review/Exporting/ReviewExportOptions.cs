namespace Dsd.Review.Exporting;

/// <summary>How a review page is written as files.</summary>
public sealed record ReviewExportOptions
{
    /// <summary>The most pairs that are written, 1 to 5000. Of more, so many are taken at equal distances. Default 500.</summary>
    public int MostPairs { get; init => field = Checked(value, 1, 5000, nameof(MostPairs)); } = 500;

    /// <summary>Panels whose longer side exceeds this many pixels are scaled down to it, 64 to 4096. Default 768.</summary>
    public int MaxSide { get; init => field = Checked(value, 64, 4096, nameof(MaxSide)); } = 768;

    private static int Checked(int value, int least, int most, string option) =>
        value >= least && value <= most ? value : throw new ArgumentOutOfRangeException(option, value, $"Option {option} must lie between {least} and {most}, but is {value}.");
}
