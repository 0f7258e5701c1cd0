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
}
