using Dsd.Review.Reports;
using Dsd.Runs.Ledger;

namespace Dsd.Review.Pairs;

/// <summary>How far the review has come, and what it says of the judge so far.</summary>
internal sealed record ReviewSummary(
    LedgerOutcomes Outcomes,
    long Pairs,
    long Reviewed,
    long PeopleKept,
    ReviewedSide Side,
    Proportion Agreement,
    Proportion Precision,
    Proportion Recall,
    Estimate? RunRecall,
    LedgerFaults Unreadable)
{
    public static ReviewSummary Of(LedgerOutcomes outcomes, LedgerAgreement counts, LedgerFaults unreadable)
    {
        JudgeScore score = new("judgement", counts, 0, []);
        // The totals may be a little older than the reviews.
        long pairs = Math.Max(outcomes.Pairs, counts.Reviewed);
        return new ReviewSummary(
            outcomes,
            pairs,
            counts.Reviewed,
            counts.BothKept + counts.PersonOnly,
            score.Side,
            score.Agreement,
            score.Precision,
            score.Recall,
            new JudgeReport(score, [], outcomes).RunRecall,
            unreadable);
    }
}
