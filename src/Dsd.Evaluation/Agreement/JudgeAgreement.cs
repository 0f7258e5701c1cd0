using Dsd.Curation.Judging;

namespace Dsd.Evaluation.Agreement;

/// <summary>How far two judges agree on the same items by the same question.</summary>
/// <param name="Metric">The question.</param>
/// <param name="First">One judge.</param>
/// <param name="Second">The other.</param>
/// <param name="Units">What both have scored: each repeat of an item counts.</param>
/// <param name="Nominal">Krippendorff's alpha where scores are the same or not; null where it has no meaning.</param>
/// <param name="Ordinal">Krippendorff's alpha by the order of scores; null likewise.</param>
/// <param name="Interval">Krippendorff's alpha by the difference of scores, which DreamBench++ reports; null likewise.</param>
/// <param name="Spearman">Spearman's rank correlation; null likewise.</param>
public sealed record JudgeAgreement(
    string Metric, string First, string Second, int Units, double? Nominal, double? Ordinal, double? Interval, double? Spearman)
{
    /// <summary>Compares two judges. What only one of them has scored is left out.</summary>
    /// <param name="scores">Scores of both, and perhaps of others and of other questions.</param>
    /// <param name="metric">The question.</param>
    /// <param name="first">One judge's name.</param>
    /// <param name="second">The other's.</param>
    /// <exception cref="ArgumentException">One of them has no score for this question; the message names those that have.</exception>
    public static JudgeAgreement Of(IEnumerable<JudgedScore> scores, string metric, string first, string second)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentException.ThrowIfNullOrEmpty(metric);
        ArgumentException.ThrowIfNullOrEmpty(first);
        ArgumentException.ThrowIfNullOrEmpty(second);
        JudgedScore[] own = [.. scores.Where(s => s.Metric == metric && s.Score is not null)];
        Dictionary<(string, int), double> By(string judge, string name) => own.Any(s => s.Judge == judge)
            ? own.Where(s => s.Judge == judge).ToDictionary(s => (s.Item, s.Repeat), s => (double)s.Score!)
            : throw new ArgumentException(
                $"Judge '{judge}' has no score of '{metric}'; those that have: "
                + $"{string.Join(", ", own.Select(s => s.Judge).Distinct().DefaultIfEmpty("none"))}.",
                name);
        (Dictionary<(string, int), double> a, Dictionary<(string, int), double> b) = (By(first, nameof(first)), By(second, nameof(second)));
        (double A, double B)[] both = [.. a.Where(s => b.ContainsKey(s.Key)).Select(s => (s.Value, b[s.Key]))];
        double?[][] ratings = [[.. both.Select(s => (double?)s.A)], [.. both.Select(s => (double?)s.B)]];
        return new JudgeAgreement(
            metric,
            first,
            second,
            both.Length,
            KrippendorffAlpha.Of(ratings, MeasurementLevel.Nominal),
            KrippendorffAlpha.Of(ratings, MeasurementLevel.Ordinal),
            KrippendorffAlpha.Of(ratings, MeasurementLevel.Interval),
            RankCorrelation.Spearman([.. both.Select(s => s.A)], [.. both.Select(s => s.B)]));
    }
}
