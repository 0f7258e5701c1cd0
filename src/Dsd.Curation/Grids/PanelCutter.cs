using Dsd.Common.Options;
using Dsd.Imaging;

namespace Dsd.Curation.Grids;

/// <summary>Cuts a grid into its panels, without the borders and gutters that text-to-image models like to draw.</summary>
/// <remarks>
/// A border or gutter is a run of lines across the whole grid, each of one colour and all of the same, that ends within
/// <see cref="PanelCutterOptions.MaxTrim"/>; anything else stays part of the panels. Pure and safe to share between threads.
/// </remarks>
public static class PanelCutter
{
    /// <summary>The panels of the grid, row by row, all of one size.</summary>
    /// <exception cref="ArgumentException">The grid is too small for the layout: a panel would have fewer than 8 pixels a side.</exception>
    public static IReadOnlyList<Picture> Cut(Picture grid, GridLayout layout, PanelCutterOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(grid);
        ArgumentNullException.ThrowIfNull(layout);
        options ??= new PanelCutterOptions();
        RequireSize(grid.Width, grid.Height, layout);
        (int Start, int End)[] columns = UniformLines.Spans(grid, layout.Columns, vertical: true, options);
        (int Start, int End)[] rows = UniformLines.Spans(grid, layout.Rows, vertical: false, options);
        int width = options.PanelWidth ?? columns.Min(span => span.End - span.Start);
        int height = options.PanelHeight ?? rows.Min(span => span.End - span.Start);
        return
        [
            .. from row in rows
               from column in columns
               select grid.Crop(column.Start, row.Start, column.End - column.Start, row.End - row.Start).CropToFit(width, height),
        ];
    }

    /// <summary>Refuses grids of a size that <see cref="Cut"/> would refuse.</summary>
    /// <param name="width">A grid's width in pixels.</param>
    /// <param name="height">A grid's height in pixels.</param>
    /// <param name="layout">How the panels lie.</param>
    /// <exception cref="ArgumentException">A panel would have fewer than 8 pixels a side.</exception>
    public static void RequireSize(int width, int height, GridLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (width / layout.Columns < 8 || height / layout.Rows < 8)
        {
            throw new ArgumentException($"A grid of {width} × {height} pixels is too small for {layout} panels: each needs at least 8 × 8 pixels.");
        }
    }

    /// <summary>
    /// The pairs of panels to judge, as indices, the earlier one first: <see cref="PairChoice.Ordered"/> and
    /// <see cref="PairChoice.Unordered"/> judge the same.
    /// </summary>
    /// <param name="panels">How many panels there are, at least 2.</param>
    /// <param name="choice">Which make a pair.</param>
    public static IReadOnlyList<(int First, int Second)> Pairs(int panels, PairChoice choice)
    {
        OptionCheck.Range(panels, 2, GridLayout.MaxPanels, nameof(panels));
        return
        [
            .. from a in Enumerable.Range(0, choice == PairChoice.FirstToRest ? 1 : panels)
               from b in Enumerable.Range(a + 1, panels - a - 1)
               select (a, b),
        ];
    }
}
