using Dsd.Curation.Judging;
using Dsd.Runs.Ledger;

namespace Dsd.Review.Reports;

/// <summary>
/// What people's verdicts say of the judges of a run: precision, recall and F1 with 95 % intervals, for the whole judgement and for each
/// judge that voted.
/// </summary>
/// <param name="Judgement">The whole judgement: what the run kept.</param>
/// <param name="Judges">Each judge by its own votes, by name. A judge that was not asked about a pair is not measured by it.</param>
/// <param name="Outcomes">What the run made of all pairs, looked at or not.</param>
public sealed record JudgeReport(JudgeScore Judgement, IReadOnlyList<JudgeScore> Judges, LedgerOutcomes Outcomes)
{
    /// <summary>Rows of the ledger that could not be read: pairs that need them are not measured by.</summary>
    public LedgerFaults Unreadable { get; init; } = LedgerFaults.None;

    /// <summary>The scores by axes, measured by people; null where no pair that was looked at has scores.</summary>
    public AxisCalibration? Axes { get; init; }

    // A point for each hundredth of confidence.
    private const int Steps = 100;

    /// <summary>
    /// Recall over the whole run, not over the pairs looked at alone: what was found among kept and among other pairs, weighted by how many
    /// of each there are. It holds if the pairs of each kind that were looked at were picked by chance. The interval's ends come from those
    /// of both shares, so it is rather too wide than too narrow.
    /// </summary>
    /// <returns>Null unless pairs of both kinds were looked at and people keep some.</returns>
    public Estimate? RunRecall
    {
        get
        {
            LedgerAgreement counts = Judgement.Counts;
            (long kept, long left) = (Outcomes.Kept, Outcomes.Rejected + Outcomes.Undecided);
            if (Judgement.Side != ReviewedSide.Both || counts.BothKept + counts.PersonOnly == 0)
            {
                return null;
            }
            Proportion right = Judgement.Precision;
            Proportion missed = new(counts.PersonOnly, counts.JudgeLeft);
            return new Estimate(
                Share(right.Value!.Value, missed.Value!.Value), Share(right.Low!.Value, missed.High!.Value), Share(right.High!.Value, missed.Low!.Value));

            double Share(double ofKept, double ofLeft) => kept * ofKept / (kept * ofKept + left * ofLeft);
        }
    }

    /// <summary>Measures the judges of a ledger by the verdicts of people in it.</summary>
    /// <exception cref="LedgerException">The ledger as a whole cannot be read.</exception>
    public static JudgeReport Of(RunLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        Tally whole = new();
        SortedDictionary<string, Tally> judges = new(StringComparer.Ordinal);
        foreach (LedgerPair? pair in ledger.PairIds(new PairFilter { Review = ReviewState.Reviewed }).Select(ledger.ReadablePairOf))
        {
            // A verdict may be taken back while this goes on.
            if (pair?.Reviewed is not { } person)
            {
                continue;
            }
            PairJudgement j = pair.Judgement;
            whole.Add(person, j.Kept, j.Status == VerdictStatus.Undecided, j.Verdict?.Same == true ? j.Confidence : null);
            // One judge may be asked twice, as the cheap one and among the dear ones: its last word counts.
            // A gate asks nobody, and comes to no verdict.
            foreach (JudgeVote vote in j.Votes.Where(v => v.Attempts > 0).GroupBy(v => v.Judge).Select(v => v.Last()))
            {
                if (!judges.TryGetValue(vote.Judge, out Tally? tally))
                {
                    judges.Add(vote.Judge, tally = new Tally());
                }
                tally.Add(person, vote.Kept, vote.Verdict is null, vote.Verdict is { Same: true } v ? v.Confidence : null);
            }
        }
        return new JudgeReport(whole.Score("judgement"), [.. judges.Select(j => j.Value.Score(j.Key))], ledger.Outcomes())
        {
            Unreadable = ledger.Faults(),
            Axes = AxisCalibration.Of(ledger) is { Reviewed: > 0 } axes ? axes : null,
        };
    }

    /// <summary>Counts of one judge.</summary>
    private sealed class Tally
    {
        // Pairs that the judge calls the same, by the highest step that their confidence reaches.
        private readonly long[] _personKept = new long[Steps + 1];
        private readonly long[] _personLeft = new long[Steps + 1];
        private long _both, _judgeOnly, _personOnly, _neither, _undecided;

        public void Add(bool person, bool judge, bool undecided, double? sameWith)
        {
            _both += person && judge ? 1 : 0;
            _judgeOnly += !person && judge ? 1 : 0;
            _personOnly += person && !judge ? 1 : 0;
            _neither += !person && !judge ? 1 : 0;
            _undecided += undecided ? 1 : 0;
            if (sameWith is { } confidence && !double.IsNaN(confidence))
            {
                (person ? _personKept : _personLeft)[Enumerable.Range(0, Steps + 1).Last(i => i == 0 || confidence >= (double)i / Steps)]++;
            }
        }

        public JudgeScore Score(string name)
        {
            JudgeScore score = new(name, new LedgerAgreement(_both, _judgeOnly, _personOnly, _neither), _undecided, []);
            return score.Side == ReviewedSide.Both ? score with { Thresholds = [.. Enumerable.Range(0, Steps + 1).Select(Point)] } : score;
        }

        private ThresholdPoint Point(int step)
        {
            long right = _personKept[step..].Sum();
            return new ThresholdPoint(
                (double)step / Steps, new Proportion(right, right + _personLeft[step..].Sum()), new Proportion(right, _both + _personOnly));
        }
    }
}
