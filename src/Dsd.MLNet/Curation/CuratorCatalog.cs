using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet;

/// <summary>Judging pairs: extensions of <c>mlContext.Transforms</c>.</summary>
public static class CuratorCatalog
{
    /// <summary>Cuts grids into panels and keeps the pairs that show one subject (<see cref="VlmCurator"/>). Further columns are added too.</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="referenceColumnName">The added image column with the panel that shows the subject.</param>
    /// <param name="targetColumnName">The added image column with the target panel.</param>
    /// <param name="inputColumnName">The image column with the grid. Default <c>Grid</c>.</param>
    /// <param name="judge">The name of the chat client that judges (<see cref="JudgingStageOptions.Judge"/>). Default the embedded judge.</param>
    /// <exception cref="ArgumentException">A name is empty, or two added columns have one name.</exception>
    public static VlmCurator JudgeGrids(
        this TransformsCatalog catalog,
        string referenceColumnName,
        string targetColumnName,
        string inputColumnName = "Grid",
        string judge = ChatClients.Embedded) =>
        catalog.JudgeGrids(new VlmCuratorOptions
        {
            ReferenceColumn = referenceColumnName,
            TargetColumn = targetColumnName,
            GridColumn = inputColumnName,
            Judge = judge,
        });

    /// <summary>Cuts grids into panels and keeps the pairs that show one subject (<see cref="VlmCurator"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="options">Judge, task, columns. Null, the default: the embedded judge.</param>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public static VlmCurator JudgeGrids(this TransformsCatalog catalog, VlmCuratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new VlmCurator(catalog.GetEnvironment(), options);
    }

    /// <summary>
    /// Judges whether two pictures show one subject, row to row (<see cref="PairCurator"/>). <c>Confidence</c> and <c>Reason</c> are added too.
    /// </summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="outputColumnName">The added Boolean column.</param>
    /// <param name="referenceColumnName">The image column with the first picture. Default <c>Reference</c>.</param>
    /// <param name="targetColumnName">The image column with the second. Default <c>Target</c>.</param>
    /// <param name="judge">The name of the chat client that judges (<see cref="JudgingStageOptions.Judge"/>). Default the embedded judge.</param>
    /// <exception cref="ArgumentException">A name is empty, or two added columns have one name.</exception>
    public static PairCurator JudgePairs(
        this TransformsCatalog catalog,
        string outputColumnName,
        string referenceColumnName = "Reference",
        string targetColumnName = "Target",
        string judge = ChatClients.Embedded) =>
        catalog.JudgePairs(new PairCuratorOptions
        {
            KeptColumn = outputColumnName,
            ReferenceColumn = referenceColumnName,
            TargetColumn = targetColumnName,
            Judge = judge,
        });

    /// <summary>Judges whether two pictures show one subject, row to row (<see cref="PairCurator"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="options">Judge, task, columns. Null, the default: the embedded judge.</param>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public static PairCurator JudgePairs(this TransformsCatalog catalog, PairCuratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new PairCurator(catalog.GetEnvironment(), options);
    }
}
