using Dsd.Common.Options;

namespace Dsd.Evaluation.Agreement;

/// <summary>
/// Krippendorff's alpha: 1 where raters agree in everything, 0 where they agree as much as by chance, below 0 where they agree less. Any number of raters, and
/// ratings may be missing. As in K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011).
/// </summary>
public static class KrippendorffAlpha
{
    /// <summary>Computes alpha.</summary>
    /// <param name="ratings">For each rater the rating of each unit, in the same order; null where it gave none.</param>
    /// <param name="level">What the difference of two ratings means.</param>
    /// <returns>
    /// Alpha, at most 1; null where it has no meaning: no unit has two ratings, or all ratings are the same, so that agreement cannot be told from chance.
    /// </returns>
    /// <exception cref="ArgumentException">Raters have different numbers of units, or a rating is not finite.</exception>
    public static double? Of(IReadOnlyList<IReadOnlyList<double?>> ratings, MeasurementLevel level)
    {
        ArgumentNullException.ThrowIfNull(ratings);
        OptionCheck.Defined(level, nameof(level));
        if (ratings.Select(r => r.Count).Distinct().Count() > 1)
        {
            throw new ArgumentException(
                $"All raters must have the same units, but they have {string.Join(", ", ratings.Select(r => r.Count))}: use null where one has no rating.",
                nameof(ratings));
        }
        if (ratings.Any(rater => rater.Any(rating => rating is { } r && !double.IsFinite(r))))
        {
            throw new ArgumentException("Ratings must be finite: use null where there is none.", nameof(ratings));
        }
        double[][] units =
        [
            .. Enumerable.Range(0, ratings.Count == 0 ? 0 : ratings[0].Count)
                .Select(unit => ratings.Select(rater => rater[unit]).OfType<double>().ToArray()).Where(unit => unit.Length > 1),
        ];
        double[] values = [.. units.SelectMany(unit => unit).Distinct().Order()];
        if (values.Length < 2)
        {
            return null;
        }
        double[] counts = [.. values.Select(value => (double)units.Sum(unit => unit.Count(rating => rating == value)))];
        double total = counts.Sum();
        double Distance(int a, int b) => level switch
        {
            MeasurementLevel.Nominal => a == b ? 0 : 1,
            // All ratings from the one to the other, the two ends by half.
            MeasurementLevel.Ordinal => Square(counts[a..(b + 1)].Sum() - (counts[a] + counts[b]) / 2),
            _ => Square(values[a] - values[b]),
        };

        // Each unit counts by its ratings: m of them make m·(m − 1) pairs of weight 1 / (m − 1).
        double observed = units.Sum(unit =>
        {
            int[] places = [.. unit.Select(rating => Array.BinarySearch(values, rating)).Order()];
            double sum = 0;
            for (int i = 0; i < places.Length; i++)
            {
                for (int j = i + 1; j < places.Length; j++)
                {
                    sum += 2 * Distance(places[i], places[j]);
                }
            }
            return sum / (unit.Length - 1);
        });
        double expected = 0;
        for (int a = 0; a < values.Length; a++)
        {
            for (int b = a + 1; b < values.Length; b++)
            {
                expected += 2 * counts[a] * counts[b] * Distance(a, b);
            }
        }
        return 1 - (total - 1) * observed / expected;
    }

    private static double Square(double value) => value * value;
}
