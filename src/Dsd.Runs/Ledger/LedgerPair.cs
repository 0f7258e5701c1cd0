using Dsd.Curation.Axes;
using Dsd.Curation.Judging;

namespace Dsd.Runs.Ledger;

/// <summary>A pair of panels and what became of it.</summary>
/// <param name="Id">The prompt's id and both panels: <c>KEY~0~0-1</c>.</param>
/// <param name="PromptId">The grid.</param>
/// <param name="First">The earlier panel, from 0.</param>
/// <param name="Second">The later panel.</param>
/// <param name="Judgement">The judgement; its votes may be left out where they are not asked for.</param>
public sealed record LedgerPair(string Id, string PromptId, int First, int Second, PairJudgement Judgement)
{
    /// <summary>A person's verdict: whether the pair is kept. Null where nobody looked.</summary>
    public bool? Reviewed { get; init; }

    /// <summary>Its scores by axes; null where nobody asked for any, or where they are not asked for.</summary>
    public AxesVote? Axes { get; init; }

    /// <summary>Whether the pair goes into datasets: the person's verdict, else the judge's.</summary>
    public bool Kept => Reviewed ?? Judgement.Kept;

    /// <summary>A pair's id.</summary>
    public static string IdOf(string promptId, int first, int second) => $"{promptId}~{first}-{second}";
}
