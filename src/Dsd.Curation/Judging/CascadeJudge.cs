using Dsd.Common.Options;
using Dsd.Imaging;

namespace Dsd.Curation.Judging;

/// <summary>A cheap judge that decides what it is sure of, and an expensive one for the rest.</summary>
public sealed class CascadeJudge : IPairJudge
{
    private readonly IPairJudge _cheap;
    private readonly IPairJudge _expensive;
    private readonly double _sure;

    /// <summary>An expensive judge behind a cheap one.</summary>
    /// <param name="cheap">Asked about every pair.</param>
    /// <param name="expensive">
    /// Asked where the cheap one came to no verdict or was less sure than <paramref name="sure"/>. Its verdict then counts alone.
    /// </param>
    /// <param name="sure">The confidence, in either verdict, from which the cheap judge's verdict is enough; 0 to 1. Default 0.9.</param>
    /// <exception cref="ArgumentException">Both have one name.</exception>
    public CascadeJudge(IPairJudge cheap, IPairJudge expensive, double sure = 0.9)
    {
        ArgumentNullException.ThrowIfNull(cheap);
        ArgumentNullException.ThrowIfNull(expensive);
        if (cheap.Name == expensive.Name)
        {
            throw new ArgumentException($"Both judges are named '{cheap.Name}': give each a name of its own.", nameof(expensive));
        }
        (_cheap, _expensive, _sure) = (cheap, expensive, OptionCheck.Range(sure, 0.0, 1.0, nameof(sure)));
    }

    /// <inheritdoc/>
    public string Name => $"{_cheap.Name}>{_expensive.Name}";

    /// <inheritdoc/>
    public async Task<PairJudgement> JudgeAsync(Picture a, Picture b, CancellationToken cancellationToken = default)
    {
        PairJudgement first = await _cheap.JudgeAsync(a, b, cancellationToken).ConfigureAwait(false);
        if (first.Status == VerdictStatus.Decided && first.Confidence >= _sure)
        {
            return first;
        }
        PairJudgement second = await _expensive.JudgeAsync(a, b, cancellationToken).ConfigureAwait(false);
        return second with { Votes = [.. first.Votes, .. second.Votes] };
    }
}
