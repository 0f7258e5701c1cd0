using Dsd.Curation.Axes;
using Dsd.Runs.Ledger;

namespace Dsd.Review.Reports;

/// <summary>
/// What people's verdicts of the review page say of the scores by axes: for each axis and threshold precision and recall with 95 % intervals, so that the
/// thresholds of a cut can be chosen.
/// </summary>
/// <param name="Reviewed">Pairs that people looked at and that have scores.</param>
/// <param name="Points">For each axis the thresholds 0 to 4.</param>
/// <remarks>
/// It holds for the pairs that people looked at. If these were chosen by the judge's verdict, so is the result: take pairs from all of the run's, at random.
/// </remarks>
public sealed record AxisCalibration(long Reviewed, IReadOnlyList<AxisPoint> Points)
{
    /// <summary>
    /// For each axis the threshold with the highest F1, the lower one of two; axes for which there is none are left out. A threshold of 0 keeps everything:
    /// such
    /// an axis tells nothing.
    /// </summary>
    public IReadOnlyDictionary<PairAxis, int> Best => Points.Where(p => p.F1 is not null).GroupBy(p => p.Axis)
        .ToDictionary(g => g.Key, g => g.OrderByDescending(p => p.F1).ThenBy(p => p.Least).First().Least);

    /// <summary>Measures the scores of a ledger by the verdicts of people in it.</summary>
    /// <param name="ledger">The ledger. Rows that cannot be read are left out.</param>
    /// <exception cref="LedgerException">The ledger as a whole cannot be read.</exception>
    public static AxisCalibration Of(RunLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        List<(bool Person, PairAxes Axes)> all = [];
        foreach (string id in ledger.PairIds(new PairFilter { Review = ReviewState.Reviewed }))
        {
            // A verdict may be taken back while this goes on.
            if (ledger.ReadablePairOf(id) is { Reviewed: { } person, Axes.Axes: { } axes })
            {
                all.Add((person, axes));
            }
        }
        long people = all.Count(a => a.Person);
        return new AxisCalibration(
            all.Count,
            [
                .. Enum.GetValues<PairAxis>().SelectMany(axis => Enumerable.Range(0, PairAxes.Most + 1).Select(least =>
                {
                    (bool Person, PairAxes Axes)[] kept = [.. all.Where(a => a.Axes[axis] >= least)];
                    long right = kept.Count(k => k.Person);
                    return new AxisPoint(axis, least, new Proportion(right, kept.Length), new Proportion(right, people));
                })),
            ]);
    }
}
