using Dsd.Curation.Grids;

namespace Dsd.Tiny.World;

/// <summary>A picture of several panels that claims to show one subject, with the truth about it.</summary>
public sealed record WorldGrid
{
    /// <summary>A grid of the given panels. Panels adjoin without a gap.</summary>
    /// <param name="layout">How the panels are arranged: 1×2 or 2×2.</param>
    /// <param name="panels">The panels, row by row.</param>
    /// <param name="bordered">Whether every panel has a thin white border inside its edge.</param>
    /// <exception cref="ArgumentException">The layout is another one, or the number of panels does not fit it.</exception>
    public WorldGrid(GridLayout layout, IReadOnlyList<WorldPanel> panels, bool bordered = false)
    {
        ArgumentNullException.ThrowIfNull(panels);
        CheckLayout(layout);
        if (panels.Count != layout.Panels)
        {
            throw new ArgumentException($"A grid of layout {layout} has {layout.Panels} panels, but {panels.Count} were given.", nameof(panels));
        }
        Layout = layout;
        Panels = [.. panels];
        Bordered = bordered;
    }

    /// <summary>How the panels are arranged.</summary>
    public GridLayout Layout { get; }

    /// <summary>The panels, row by row.</summary>
    public IReadOnlyList<WorldPanel> Panels { get; }

    /// <summary>Whether every panel has a white border inside its edge.</summary>
    public bool Bordered { get; }

    /// <summary>The subject that the grid is about: that of most panels, the first of them when there is a tie.</summary>
    public Subject Subject => Panels.GroupBy(panel => panel.Subject).MaxBy(group => group.Count())!.Key;

    /// <summary>The truth that curation has to find out: whether all panels show the same subject.</summary>
    public bool IsConsistent => Panels.All(panel => panel.Subject == Panels[0].Subject);

    /// <summary>Refuses a layout that the world has no grids of.</summary>
    /// <exception cref="ArgumentException">The layout is neither 1×2 nor 2×2.</exception>
    internal static void CheckLayout(GridLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        if (layout != GridLayout.OneByTwo && layout != GridLayout.TwoByTwo)
        {
            throw new ArgumentException($"A grid of the world has 1x2 or 2x2 panels, but {layout} was asked for.", nameof(layout));
        }
    }
}
