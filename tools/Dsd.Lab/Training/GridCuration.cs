using Dsd.Curation.Judging;
using Dsd.Tiny.Judge;

namespace Dsd.Lab.Training;

/// <summary>The method's second stage on the small world: which of the teacher's pairs a student learns from.</summary>
/// <param name="CalledSame">Pairs that the judge calls the same subject with the confidence that curation asks for by default.</param>
/// <param name="Kept">Numbers of the pairs that are kept, in order.</param>
internal sealed record GridCuration(int CalledSame, IReadOnlyList<int> Kept)
{
    /// <summary>
    /// Keeps what the judge calls the same; where that is less than the share, the surest pairs up to it, so that there is something to learn from.
    /// </summary>
    public static GridCuration Of(TinyJudge judge, IReadOnlyList<GridPair> pairs, double leastShare)
    {
        IReadOnlyList<Verdict> verdicts = judge.CompareMany([.. pairs.Select(p => (p.A, p.B))]);
        double confidence = new PairJudgeOptions().Threshold;
        int called = verdicts.Count(v => v.Same && v.Confidence >= confidence);
        int least = (int)Math.Ceiling(leastShare * pairs.Count);
        // Confidence speaks for the verdict, whichever it is: turned round, it orders all pairs by how surely they are the same.
        IEnumerable<int> surest = Enumerable.Range(0, pairs.Count)
            .OrderByDescending(i => verdicts[i].Same ? verdicts[i].Confidence : 1 - verdicts[i].Confidence);
        return new GridCuration(called, [.. surest.Take(Math.Max(called, least)).Order()]);
    }
}
