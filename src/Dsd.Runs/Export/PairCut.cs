using Dsd.Common.Options;
using Dsd.Curation.Axes;
using Dsd.Curation.Judging;
using Dsd.Runs.Ledger;

namespace Dsd.Runs.Export;

/// <summary>
/// Which pairs of a ledger are kept, decided when they are written and not when they were judged: a run is cut again without asking anybody again. A person's
/// verdict comes before everything.
/// </summary>
public sealed record PairCut
{
    /// <summary>
    /// The least confidence, 0 to 1, with which the judge must call both the same subject: in place of the threshold of the run and of the flags that its task
    /// rejects. Null, the default: what the run kept.
    /// </summary>
    public double? LeastConfidence { get; init => field = OptionCheck.RangeOrNull(value, 0.0, 1.0, nameof(LeastConfidence)); }

    /// <summary>Pairs with one of these flags are not kept. Default none.</summary>
    public IReadOnlyList<string> RejectedFlags { get; init => field = OptionCheck.Texts(value, 0, nameof(RejectedFlags)); } = [];

    /// <summary>The least score on an axis, 0 to 4. A pair without scores has none that is high enough. Default none: axes do not matter.</summary>
    public IReadOnlyDictionary<PairAxis, int> Least
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(Least));
            field = value.ToDictionary(
                l => OptionCheck.Defined(l.Key, nameof(Least)), l => OptionCheck.Range(l.Value, 0, PairAxes.Most, $"{nameof(Least)}[{l.Key}]"));
        }
    } = new Dictionary<PairAxis, int>();

    /// <summary>UNO's rule: no part of the subject differs at all.</summary>
    public static PairCut AllPartsPerfect { get; } = new() { Least = new Dictionary<PairAxis, int> { [PairAxis.LowestPart] = PairAxes.Most } };

    /// <summary>Whether a pair is kept.</summary>
    /// <param name="pair">The pair, with its votes and scores (<see cref="RunLedger.PairOf"/>).</param>
    public bool Keeps(LedgerPair pair)
    {
        ArgumentNullException.ThrowIfNull(pair);
        if (pair.Reviewed is { } person)
        {
            return person;
        }
        PairJudgement j = pair.Judgement;
        bool same = LeastConfidence is not { } least ? j.Kept : j is { Status: VerdictStatus.Decided, Verdict.Same: true } && j.Confidence >= least;
        return same
            && j.Verdict?.Flags.Any(flag => RejectedFlags.Contains(flag, StringComparer.OrdinalIgnoreCase)) != true
            && Least.All(l => pair.Axes?.Axes is { } axes && axes[l.Key] >= l.Value);
    }
}
