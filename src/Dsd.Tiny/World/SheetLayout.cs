namespace Dsd.Tiny.World;

/// <summary>How the panels of a sheet are arranged. Panels adjoin without a gap.</summary>
public enum SheetLayout
{
    /// <summary>Two panels side by side.</summary>
    Pair,

    /// <summary>Two rows of two panels; panels are counted row by row.</summary>
    Quad,
}
