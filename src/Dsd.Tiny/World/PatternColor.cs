namespace Dsd.Tiny.World;

/// <summary>The second colour of a creature.</summary>
public enum PatternColor
{
    /// <summary>There is no pattern.</summary>
    None,

    /// <summary>White.</summary>
    White,

    /// <summary>Black.</summary>
    Black,

    /// <summary>Yellow.</summary>
    Yellow,

    /// <summary>Teal.</summary>
    Teal,
}
