namespace Dsd.Tiny.World;

/// <summary>A picture of several panels that claims to show one subject, with the truth about it.</summary>
public sealed record Sheet
{
    /// <summary>A sheet of the given panels.</summary>
    /// <param name="layout">How the panels are arranged.</param>
    /// <param name="panels">Two panels for a pair and four for a quad, row by row.</param>
    /// <param name="bordered">Whether every panel has a thin white border inside its edge.</param>
    /// <exception cref="ArgumentException">The number of panels does not fit the layout.</exception>
    public Sheet(SheetLayout layout, IReadOnlyList<SheetPanel> panels, bool bordered = false)
    {
        ArgumentNullException.ThrowIfNull(panels);
        Layout = layout;
        if (panels.Count != Rows * Columns)
        {
            throw new ArgumentException($"A sheet of layout {layout} has {Rows * Columns} panels, but {panels.Count} were given.", nameof(panels));
        }
        Panels = [.. panels];
        Bordered = bordered;
    }

    /// <summary>How the panels are arranged.</summary>
    public SheetLayout Layout { get; }

    /// <summary>The panels, row by row.</summary>
    public IReadOnlyList<SheetPanel> Panels { get; }

    /// <summary>Whether every panel has a white border inside its edge.</summary>
    public bool Bordered { get; }

    /// <summary>The number of rows of panels.</summary>
    public int Rows => Layout == SheetLayout.Quad ? 2 : 1;

    /// <summary>The number of panels in a row.</summary>
    public int Columns => 2;

    /// <summary>The subject that the sheet is about: that of most panels, the first of them when there is a tie.</summary>
    public Subject Subject => Panels.GroupBy(panel => panel.Subject).MaxBy(group => group.Count())!.Key;

    /// <summary>The truth that curation has to find out: whether all panels show the same subject.</summary>
    public bool IsConsistent => Panels.All(panel => panel.Subject == Panels[0].Subject);
}
