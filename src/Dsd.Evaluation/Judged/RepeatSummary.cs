using Dsd.Curation.Judging;

namespace Dsd.Evaluation.Judged;

/// <summary>Scores of several repeats in short: the mean of each repeat, and of these the mean and the deviation.</summary>
/// <param name="Mean">The mean of the repeats' means, 0 to 1.</param>
/// <param name="Deviation">The repeats' standard deviation (with n − 1, as DreamBench++ has it); null with fewer than two repeats.</param>
/// <param name="Items">How many different items have a score.</param>
/// <param name="Repeats">The mean of each repeat that has a score, 0 to 1.</param>
public sealed record RepeatSummary(double Mean, double? Deviation, int Items, IReadOnlyList<double> Repeats)
{
    /// <summary>Sums up scores. What has no score does not count, as 0 or as anything else.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="most">The highest score that a judge can give: means are divided by it.</param>
    /// <returns>The summary; null where there is no score.</returns>
    public static RepeatSummary? Of(IEnumerable<JudgedScore> scores, int most)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most);
        JudgedScore[] given = [.. scores.Where(s => s.Score is not null)];
        if (given.Length == 0)
        {
            return null;
        }
        double[] repeats = [.. given.GroupBy(s => s.Repeat).OrderBy(g => g.Key).Select(g => g.Average(s => (double)s.Score!) / most)];
        double mean = repeats.Average();
        double? deviation = repeats.Length < 2 ? null : Math.Sqrt(repeats.Sum(r => (r - mean) * (r - mean)) / (repeats.Length - 1));
        return new RepeatSummary(mean, deviation, given.Select(s => s.Item).Distinct(StringComparer.Ordinal).Count(), repeats);
    }
}
