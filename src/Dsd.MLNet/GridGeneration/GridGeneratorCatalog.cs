using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dsd.MLNet;

/// <summary>Drawing grids: an extension of <c>mlContext.Transforms</c>.</summary>
public static class GridGeneratorCatalog
{
    /// <summary>Draws a grid for each caption (<see cref="GridGenerator"/>). <c>GridPrompt</c> and <c>PanelCaptions</c> are added too.</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="outputColumnName">The added image column.</param>
    /// <param name="inputColumnName">The text column with the captions. Null, the default: as the output column.</param>
    /// <param name="model">The teacher (<see cref="GridGeneratorOptions.Model"/>). Default the embedded one.</param>
    /// <exception cref="ArgumentException">A name is empty, or two added columns have one name.</exception>
    public static GridGenerator DrawGrids(this TransformsCatalog catalog, string outputColumnName, string? inputColumnName = null, string model = "tiny") =>
        catalog.DrawGrids(new GridGeneratorOptions { GridColumn = outputColumnName, CaptionColumn = inputColumnName ?? outputColumnName, Model = model });

    /// <summary>Draws a grid for each caption (<see cref="GridGenerator"/>).</summary>
    /// <param name="catalog"><c>mlContext.Transforms</c>.</param>
    /// <param name="options">Model, words, columns. Null, the default: the embedded model.</param>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public static GridGenerator DrawGrids(this TransformsCatalog catalog, GridGeneratorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new GridGenerator(catalog.GetEnvironment(), options);
    }
}
