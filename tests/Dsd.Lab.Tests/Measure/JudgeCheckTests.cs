using Dsd.Curation.Judging;
using Dsd.Lab.Measure;
using Dsd.Tiny;
using Dsd.Tiny.Judge;

namespace Dsd.Lab.Tests.Measure;

public class JudgeCheckTests
{
    [Fact]
    public void OnDrawings_TheEmbeddedJudgeNamesTrueDifferences()
    {
        using TinyJudge judge = TinyJudge.Load(TinyModel.JudgeFolder);

        JudgeFigures figures = JudgeCheck.OnDrawings(judge, 300, seed: 21);

        // A named difference counts as true only if thing, values and colours are all as drawn.
        Assert.InRange(figures.TruthOfReasons!.Value, 0.9, 1);
        Assert.InRange(figures.ExplainedShare!.Value, 0.9, 1);
    }

    [Fact]
    public void OverConfidence_CountsWhatIsKeptAtEachConfidence()
    {
        Verdict[] verdicts = [Said(true, 0.95), Said(true, 0.84), Said(true, 0.65), Said(true, 0.55), Said(false, 0.99)];

        IReadOnlyList<JudgeAtConfidence> all = JudgeCheck.OverConfidence(0.1, verdicts, [true, true, false, true, true]);

        Assert.Equal((0, 4, 3, 4), Counts(0));
        Assert.Equal((0.6, 3, 2, 4), Counts(0.6));
        Assert.Equal((0.7, 2, 2, 4), Counts(0.7));
        Assert.Equal((0.9, 1, 1, 4), Counts(0.9));
        Assert.Contains(all, one => one.LeastConfidence == JudgeCheck.CurationConfidence);
        JudgeFigures own = all[0].Figures;
        Assert.Equal((own.Precision, own.Recall), (own.PrecisionInterval!.Mean, own.RecallInterval!.Mean));

        (double, int, int, int) Counts(double least)
        {
            JudgeFigures f = all.Single(one => one.LeastConfidence == least).Figures;
            return (least, f.Kept, f.Right, f.Same);
        }

        static Verdict Said(bool same, double confidence) => new()
        {
            Subject = "a creature",
            DescriptionA = "",
            DescriptionB = "",
            Differences = [],
            Same = same,
            Confidence = confidence,
            Flags = [],
        };
    }
}
