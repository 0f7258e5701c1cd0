using Dsd.Evaluation.Metrics;

namespace Dsd.Evaluation.Running;

/// <summary>What the scores of some pictures come to.</summary>
/// <param name="Mean">The mean over subjects of the mean over each one's pictures; null where no picture has a score.</param>
/// <param name="Low">The lower end of its 95 % interval (bootstrap over subjects); null as the mean.</param>
/// <param name="High">The upper end.</param>
/// <param name="Subjects">Subjects with a score.</param>
/// <param name="Pictures">Pictures with a score.</param>
/// <param name="Without">Pictures that have none: they have no prompt, or the metric came to none.</param>
public sealed record ScoreSummary(double? Mean, double? Low, double? High, int Subjects, int Pictures, int Without)
{
    // Any number; that it is the same makes reports the same.
    private const int Seed = 20;

    internal static ScoreSummary Of(IReadOnlyCollection<(string Subject, double? Score)> scores)
    {
        double[] means = [.. scores.Where(s => s.Score is not null).GroupBy(s => s.Subject).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => g.Average(s => s.Score!.Value))];
        int pictures = scores.Count(s => s.Score is not null);
        if (pictures == 0)
        {
            return new ScoreSummary(null, null, null, 0, 0, scores.Count);
        }
        Interval interval = Interval.Bootstrap(means, Seed);
        return new ScoreSummary(interval.Mean, interval.Low, interval.High, means.Length, pictures, scores.Count - pictures);
    }
}
