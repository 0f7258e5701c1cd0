using Dsd.Curation.Judging;
using Dsd.Imaging;
using Dsd.Lab.Training;
using Dsd.Tiny;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;

namespace Dsd.Lab.Measure;

/// <summary>Confronts a judge, which sees pixels alone, with what is known about pairs of pictures.</summary>
internal static class JudgeCheck
{
    /// <summary>The confidence that curation asks for by default.</summary>
    public static readonly double CurationConfidence = new PairJudgeOptions().Threshold;

    private static readonly double[] Confidences =
        [.. new[] { 0, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, CurationConfidence }.Distinct().Order()];

    /// <summary>Judges drawn pairs of held-out subjects, every second with one to three attributes changed, each picture in a context of its own.</summary>
    /// <param name="judge">The judge.</param>
    /// <param name="pairs">How many pairs, at least 2.</param>
    /// <param name="seed">Fixes the pairs.</param>
    /// <param name="panelSize">Side of a picture in pixels.</param>
    /// <param name="cancellationToken">Checked between pairs.</param>
    public static JudgeFigures OnDrawings(
        TinyJudge judge, int pairs, ulong seed, int panelSize = TinyModel.PanelSize, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(judge);
        ArgumentOutOfRangeException.ThrowIfLessThan(pairs, 2);
        WorldRandom random = new(seed);
        ReadingText text = new(Subject.Kinds);
        (int same, int kept, int right, int named, int namedTruly, int explained) = (0, 0, 0, 0, 0, 0);
        for (int i = 0; i < pairs; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Subject a = WorldSampler.SampleSubject(random, heldOut: true);
            Subject b = i % 2 == 0 ? a : WorldSampler.Change(a, random, heldOut: true);
            (PanelBatches.Panel left, PanelBatches.Panel shown) = PanelBatches.Pair(a, b, random, panelSize);
            Verdict verdict = judge.Compare(left.Picture, shown.Picture);
            kept += verdict.Same ? 1 : 0;
            if (a == b)
            {
                same++;
                right += verdict.Same ? 1 : 0;
                continue;
            }
            IReadOnlyList<string> truth = text.Differences(SubjectReading.Certain(a.Values, Subject.Kinds), SubjectReading.Certain(b.Values, Subject.Kinds));
            int truly = verdict.Differences.Count(truth.Contains);
            named += verdict.Differences.Count;
            namedTruly += truly;
            explained += truly > 0 ? 1 : 0;
        }
        return new JudgeFigures(judge.SameThreshold, pairs, same, kept, right, named, namedTruly, explained);
    }

    /// <summary>Judges pairs of which it is known whether they show one subject.</summary>
    /// <param name="judge">The judge.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="cancellationToken">Checked before the pairs are judged.</param>
    /// <returns>Figures at the judge's own threshold first, then with more and more confidence asked for; curation's default is among them.</returns>
    public static IReadOnlyList<JudgeAtConfidence> OnPictures(
        TinyJudge judge, IReadOnlyList<(Picture A, Picture B, bool Same)> pairs, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(judge);
        ArgumentNullException.ThrowIfNull(pairs);
        cancellationToken.ThrowIfCancellationRequested();
        IReadOnlyList<Verdict> verdicts = judge.CompareMany([.. pairs.Select(pair => (pair.A, pair.B))]);
        return OverConfidence(judge.SameThreshold, verdicts, [.. pairs.Select(pair => pair.Same)]);
    }

    /// <summary>Counts verdicts on pairs of which it is known whether they show one subject.</summary>
    internal static IReadOnlyList<JudgeAtConfidence> OverConfidence(double threshold, IReadOnlyList<Verdict> verdicts, IReadOnlyList<bool> same) =>
    [
        .. Confidences.Select(least =>
        {
            bool[] kept = [.. verdicts.Select(v => v.Same && v.Confidence >= least)];
            int right = kept.Zip(same).Count(pair => pair.First && pair.Second);
            return new JudgeAtConfidence(least, new JudgeFigures(threshold, same.Count, same.Count(s => s), kept.Count(k => k), right));
        }),
    ];
}
