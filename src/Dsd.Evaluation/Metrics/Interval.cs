namespace Dsd.Evaluation.Metrics;

/// <summary>A mean with its 95 % interval.</summary>
/// <param name="Mean">The mean over all subjects.</param>
/// <param name="Low">The interval's lower end.</param>
/// <param name="High">The interval's upper end.</param>
public sealed record Interval(double Mean, double Low, double High)
{
    private const int Resamples = 2000;

    // 95 % of a normal distribution lie within so many standard deviations.
    private const double Normal = 1.959964;

    /// <summary>
    /// The percentile bootstrap over subjects (Efron 1979): subjects are drawn with replacement, because pictures of one subject are not independent.
    /// </summary>
    /// <param name="perSubjectMeans">One number a subject: the mean over its pictures. With a single one the interval is that point, and says nothing.</param>
    /// <param name="seed">Fixes the resamples; the same arguments give the same interval.</param>
    /// <exception cref="ArgumentException">There are no subjects.</exception>
    public static Interval Bootstrap(IReadOnlyList<double> perSubjectMeans, int seed) => Bootstrap(perSubjectMeans, new Random(seed).Next);

    /// <inheritdoc cref="Bootstrap(IReadOnlyList{double}, int)"/>
    /// <param name="perSubjectMeans">One number a subject.</param>
    /// <param name="draw">Gives a whole number of at least 0 and below the one that it is given, each equally likely.</param>
    public static Interval Bootstrap(IReadOnlyList<double> perSubjectMeans, Func<int, int> draw)
    {
        ArgumentNullException.ThrowIfNull(perSubjectMeans);
        ArgumentNullException.ThrowIfNull(draw);
        return perSubjectMeans.Count == 0
            ? throw new ArgumentException("An interval needs the means of at least one subject.", nameof(perSubjectMeans))
            : OfGroups([perSubjectMeans], draw);
    }

    /// <summary>The mean of the means of some groups, whatever their sizes, with the percentile bootstrap within each group.</summary>
    /// <param name="groups">The numbers of each group.</param>
    /// <param name="seed">Fixes the resamples; the same arguments give the same interval.</param>
    /// <exception cref="ArgumentException">There is no group, or one is empty.</exception>
    public static Interval BootstrapOfGroups(IReadOnlyList<IReadOnlyList<double>> groups, int seed)
    {
        ArgumentNullException.ThrowIfNull(groups);
        return groups.Count == 0 || groups.Any(g => g.Count == 0)
            ? throw new ArgumentException("An interval needs at least one group, and a number in each.", nameof(groups))
            : OfGroups(groups, new Random(seed).Next);
    }

    private static Interval OfGroups(IReadOnlyList<IReadOnlyList<double>> groups, Func<int, int> draw)
    {
        double[] means = new double[Resamples];
        for (int resample = 0; resample < Resamples; resample++)
        {
            double all = 0;
            foreach (IReadOnlyList<double> group in groups)
            {
                double sum = 0;
                for (int i = 0; i < group.Count; i++)
                {
                    sum += group[draw(group.Count)];
                }
                all += sum / group.Count;
            }
            means[resample] = all / groups.Count;
        }
        Array.Sort(means);
        return new Interval(groups.Average(g => g.Average()), Quantile(means, 0.025), Quantile(means, 0.975));
    }

    /// <summary>
    /// Wilson's score interval of a share (1927). Unlike the bootstrap it stays wide where all of a few are right, which does not prove that all are.
    /// </summary>
    /// <param name="right">How many are right.</param>
    /// <param name="count">Of how many.</param>
    /// <returns>The share and its interval; null where there is nothing to count.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or more are right than there are.</exception>
    public static Interval? OfShare(int right, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(right);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(right, count);
        if (count == 0)
        {
            return null;
        }
        double share = (double)right / count;
        double square = Normal * Normal / count;
        double middle = (share + (square / 2)) / (1 + square);
        double half = Normal * Math.Sqrt((share * (1 - share) / count) + (square / (4 * count))) / (1 + square);
        // Rounding must not put the share itself outside.
        return new Interval(share, Math.Clamp(middle - half, 0, share), Math.Clamp(middle + half, share, 1));
    }

    private static double Quantile(double[] sorted, double share)
    {
        double position = share * (sorted.Length - 1);
        int below = (int)position;
        double above = sorted[Math.Min(below + 1, sorted.Length - 1)];
        return sorted[below] + (above - sorted[below]) * (position - below);
    }
}
