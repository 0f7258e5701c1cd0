using Dsd.Curation.Axes;
using Dsd.Curation.Judging;

namespace Dsd.Runs.Ledger;

// What ledgers have held since version 2: scores of pairs by axes, and scores of judged metrics.
public sealed partial class RunLedger
{
    /// <summary>A pair's scores by axes; null where there are none.</summary>
    /// <exception cref="LedgerException">The row cannot be read.</exception>
    public AxesVote? AxesOf(string pairId) => Has(LedgerTable.Axes) ? Read(LedgerTable.Axes, "WHERE pair_id = $0", pairId).FirstOrDefault().Vote : null;

    /// <summary>Whether any pair has scores by axes.</summary>
    public bool HasAxes
    {
        get
        {
            bool has = Has(LedgerTable.Axes);
            lock (_gate)
            {
                return has && Read("SELECT 1 FROM axes WHERE axes IS NOT NULL LIMIT 1", _ => true).Count > 0;
            }
        }
    }

    /// <summary>A score of a judged metric; null where there is none.</summary>
    /// <exception cref="LedgerException">The row cannot be read.</exception>
    public JudgedScore? ScoreOf(string item, string metric, int repeat, string judge) => Has(LedgerTable.Scores)
        ? Read(LedgerTable.Scores, "WHERE metric = $0 AND item = $1 AND repeat = $2 AND judge = $3", metric, item, repeat, judge).FirstOrDefault()
        : null;

    /// <summary>All scores of judged metrics, by metric, item, repeat and judge.</summary>
    /// <exception cref="LedgerException">A row cannot be read.</exception>
    public IReadOnlyList<JudgedScore> Scores() => Has(LedgerTable.Scores) ? Read(LedgerTable.Scores, "ORDER BY metric, item, repeat, judge") : [];

    /// <summary>Writes a pair's scores by axes, once: others are left out, unless no answer of the first judge could be read.</summary>
    public Task WriteAxesAsync(string pairId, AxesVote axes)
    {
        ArgumentException.ThrowIfNullOrEmpty(pairId);
        ArgumentNullException.ThrowIfNull(axes);
        return Write(w =>
        {
            WriteAxes(w, pairId, axes);
            w.Run("DELETE FROM failures WHERE id = $0 AND stage = 'axes'", pairId);
        });
    }

    /// <summary>Writes a score of a judged metric, in the place of one of the same metric, item, repeat and judge.</summary>
    public Task WriteScoreAsync(JudgedScore score)
    {
        ArgumentNullException.ThrowIfNull(score);
        return Write(w => w.Run(
            "INSERT INTO scores VALUES ($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO UPDATE SET question = excluded.question, "
            + "score = excluded.score, reason = excluded.reason, model = excluded.model, attempts = excluded.attempts, "
            + "input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens, seconds = excluded.seconds",
            score.Metric, score.Item, score.Repeat, score.Judge, score.Question, score.Score, score.Reason, score.Model, score.Attempts, score.InputTokens,
            score.OutputTokens, score.Duration.TotalSeconds));
    }

    private static void WriteAxes(LedgerWriter w, string pairId, AxesVote v) => w.Run(
        "INSERT INTO axes VALUES ($0, $1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO UPDATE SET judge = excluded.judge, model = excluded.model, "
        + "axes = excluded.axes, reason = excluded.reason, attempts = attempts + excluded.attempts, input_tokens = input_tokens + excluded.input_tokens, "
        + "output_tokens = output_tokens + excluded.output_tokens, seconds = seconds + excluded.seconds WHERE axes IS NULL",
        pairId, v.Judge, v.Model, v.Axes?.ToJson(), v.Reason, v.Attempts, v.InputTokens, v.OutputTokens, v.Duration.TotalSeconds);
}
