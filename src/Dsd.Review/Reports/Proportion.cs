namespace Dsd.Review.Reports;

/// <summary>A share of a count, with Wilson's 95 % interval (E. B. Wilson 1927), which also holds for few cases and for shares of 0 and 1.</summary>
/// <param name="Hits">How many, 0 to <paramref name="Of"/>.</param>
/// <param name="Of">Of how many. Of none there is no share.</param>
public sealed record Proportion(long Hits, long Of)
{
    // The normal distribution's 97.5 % quantile.
    private const double Z = 1.959963984540054;

    /// <summary>How many.</summary>
    public long Hits { get; init; } = Hits >= 0 && Hits <= Of
        ? Hits
        : throw new ArgumentOutOfRangeException(nameof(Hits), Hits, $"A share counts 0 to {Of} of {Of}, but {Hits} were given.");

    /// <summary>The share, 0 to 1; null of none.</summary>
    public double? Value => Of == 0 ? null : (double)Hits / Of;

    /// <summary>The interval's lower end; null of none.</summary>
    public double? Low => Of == 0 ? null : Math.Max(0, Centre - Reach);

    /// <summary>The interval's upper end; null of none.</summary>
    public double? High => Of == 0 ? null : Math.Min(1, Centre + Reach);

    private double Centre => (Hits + Z * Z / 2) / (Of + Z * Z);

    private double Reach => Z * Math.Sqrt((double)Hits * (Of - Hits) / Of + Z * Z / 4) / (Of + Z * Z);
}
