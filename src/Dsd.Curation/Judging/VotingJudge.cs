using System.Globalization;
using Dsd.Common.Options;
using Dsd.Imaging;

namespace Dsd.Curation.Judging;

/// <summary>Several judges that are asked at once and vote.</summary>
public sealed class VotingJudge : IPairJudge
{
    private readonly IPairJudge[] _judges;
    private readonly VotingRule _rule;

    /// <summary>A vote of these judges, each named differently.</summary>
    /// <exception cref="ArgumentException">There are fewer than two, or two of one name.</exception>
    public VotingJudge(IReadOnlyList<IPairJudge> judges, VotingRule rule = VotingRule.Majority)
    {
        ArgumentNullException.ThrowIfNull(judges);
        if (judges.Count < 2 || judges.Select(j => j.Name).Distinct(StringComparer.Ordinal).Count() != judges.Count)
        {
            throw new ArgumentException(
                $"A vote needs at least two judges of different names, but has: {string.Join(", ", judges.Select(j => $"'{j.Name}'"))}.", nameof(judges));
        }
        (_judges, _rule) = ([.. judges], OptionCheck.Defined(rule, nameof(rule)));
    }

    /// <inheritdoc/>
    public string Name => string.Join('+', _judges.Select(j => j.Name));

    /// <inheritdoc/>
    /// <remarks>
    /// Confidence is the mean over those who agree with the outcome; the verdict that is given is the surest of theirs. Without any verdict
    /// the pair is undecided.
    /// </remarks>
    public async Task<PairJudgement> JudgeAsync(Picture a, Picture b, CancellationToken cancellationToken = default)
    {
        PairJudgement[] all = await Task.WhenAll(_judges.Select(j => j.JudgeAsync(a, b, cancellationToken))).ConfigureAwait(false);
        int keep = all.Count(j => j.Kept);
        bool kept = _rule == VotingRule.Unanimous ? keep == all.Length : 2 * keep > all.Length;
        PairJudgement[] agreeing = [.. all.Where(j => j.Status == VerdictStatus.Decided && j.Kept == kept)];
        string tally = string.Create(CultureInfo.InvariantCulture, $"{keep} of {all.Length} judges keep it");
        JudgeVote[] votes = [.. all.SelectMany(j => j.Votes)];
        if (agreeing.Length == 0)
        {
            string why = all.FirstOrDefault(j => j.Status == VerdictStatus.Undecided)?.Reason is { } reason ? $" ({reason})" : "";
            return new PairJudgement
            {
                Status = VerdictStatus.Undecided,
                Kept = false,
                Reason = $"undecided: {tally}, and none of the others came to a verdict{why}",
                Votes = votes,
            };
        }
        PairJudgement surest = agreeing.MaxBy(j => j.Confidence)!;
        return new PairJudgement
        {
            Status = VerdictStatus.Decided,
            Verdict = surest.Verdict,
            Kept = kept,
            Confidence = agreeing.Average(j => j.Confidence),
            Reason = $"{tally}: {surest.Reason}",
            Votes = votes,
        };
    }
}
