namespace Dsd.Evaluation.Agreement;

/// <summary>Spearman's rank correlation.</summary>
public static class RankCorrelation
{
    /// <summary>Spearman's rho: how far the order of one list is that of the other, −1 to 1. What is equal has the mean of its ranks.</summary>
    /// <param name="first">Numbers.</param>
    /// <param name="second">As many numbers, in the same order.</param>
    /// <returns>Rho; null with fewer than two numbers, or where all of a list are the same.</returns>
    /// <exception cref="ArgumentException">The lists have different lengths, or a number is not finite.</exception>
    public static double? Spearman(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.Count != second.Count)
        {
            throw new ArgumentException($"Both lists must have the same length, but have {first.Count} and {second.Count}.", nameof(second));
        }
        if (first.Concat(second).Any(number => !double.IsFinite(number)))
        {
            throw new ArgumentException("All numbers must be finite: leave out what has none.", nameof(first));
        }
        (double[] a, double[] b) = (Ranks(first), Ranks(second));
        double mean = (first.Count + 1) / 2.0;
        double product = a.Zip(b, (x, y) => (x - mean) * (y - mean)).Sum();
        double squares = Math.Sqrt(a.Sum(x => (x - mean) * (x - mean)) * b.Sum(y => (y - mean) * (y - mean)));
        return squares == 0 ? null : product / squares;
    }

    private static double[] Ranks(IReadOnlyList<double> numbers)
    {
        int[] order = [.. Enumerable.Range(0, numbers.Count).OrderBy(i => numbers[i])];
        double[] ranks = new double[numbers.Count];
        for (int from = 0, to; from < order.Length; from = to)
        {
            for (to = from + 1; to < order.Length && numbers[order[to]] == numbers[order[from]]; to++)
            {
            }
            for (int i = from; i < to; i++)
            {
                ranks[order[i]] = (from + 1 + to) / 2.0;
            }
        }
        return ranks;
    }
}
