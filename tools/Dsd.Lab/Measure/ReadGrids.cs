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
        (int[][] a, int[][] b) = Read(panels, classifier);
        return new ReadGrids(a, b, JudgeCheck.OnPictures(judge, [.. panels.Select((p, i) => (p.A, p.B, IsSame(a[i], b[i])))], cancellationToken));
    }

    /// <summary>What another classifier makes of the same grids, as if it were the judge.</summary>
    public JudgeFigures JudgedBy(AttributeClassifier other, IReadOnlyList<Picture> grids, int panelSize)
    {
        (int[][] a, int[][] b) = Read([.. grids.Select(grid => Cut(grid, panelSize))], other);
        int[] kept = [.. Enumerable.Range(0, a.Length).Where(i => IsSame(a[i], b[i]))];
        return Judged[0].Figures with { Threshold = 0, Kept = kept.Length, Right = kept.Count(i => IsSame(A[i], B[i])) };
    }

    private static (int[][] A, int[][] B) Read((Picture A, Picture B)[] panels, AttributeClassifier classifier) =>
        (classifier.Read([.. panels.Select(p => p.A)]), classifier.Read([.. panels.Select(p => p.B)]));

    private static bool IsSame(int[] a, int[] b) => a.AsSpan(0, Subject.Kinds.Count).SequenceEqual(b.AsSpan(0, Subject.Kinds.Count));

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
