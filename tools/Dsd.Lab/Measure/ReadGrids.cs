using Dsd.Curation.Grids;
using Dsd.Imaging;
using Dsd.Tiny.Classifier;
using Dsd.Tiny.Judge;
using Dsd.Tiny.World;

namespace Dsd.Lab.Measure;

/// <summary>Grids of two panels as the classifier reads them, and what the judge makes of them.</summary>
/// <param name="A">What was read of the left panels.</param>
/// <param name="B">What was read of the right panels.</param>
/// <param name="Judged">The judge against that reading: a grid is of one subject where both panels read the same in every identity attribute.</param>
internal sealed record ReadGrids(int[][] A, int[][] B, IReadOnlyList<JudgeAtConfidence> Judged)
{
    /// <summary>The share of grids whose panels read the same in every identity attribute.</summary>
    public double ConsistentShare => (double)Judged[0].Figures.Same / A.Length;

    /// <summary>Reads and judges.</summary>
    public static ReadGrids Of(
        IReadOnlyList<Picture> grids, int panelSize, AttributeClassifier classifier, TinyJudge judge, CancellationToken cancellationToken)
    {
        (Picture A, Picture B)[] panels = [.. grids.Select(grid => Cut(grid, panelSize))];
        int[][] a = classifier.Read([.. panels.Select(p => p.A)]);
        int[][] b = classifier.Read([.. panels.Select(p => p.B)]);
        int identity = Subject.Kinds.Count;
        return new ReadGrids(
            a,
            b,
            JudgeCheck.OnPictures(
                judge,
                [.. panels.Select((p, i) => (p.A, p.B, a[i].AsSpan(0, identity).SequenceEqual(b[i].AsSpan(0, identity))))],
                cancellationToken));
    }

    private static (Picture A, Picture B) Cut(Picture grid, int panelSize)
    {
        IReadOnlyList<Picture> panels = PanelCutter.Cut(grid, GridLayout.OneByTwo, new PanelCutterOptions
        {
            PanelWidth = panelSize,
            PanelHeight = panelSize,
        });
        return (panels[0], panels[1]);
    }
}
