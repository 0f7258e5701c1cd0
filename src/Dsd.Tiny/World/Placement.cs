namespace Dsd.Tiny.World;

/// <summary>Where in the picture a creature is.</summary>
public enum Placement
{
    /// <summary>In the left part.</summary>
    Left,

    /// <summary>In the middle.</summary>
    Center,

    /// <summary>In the right part.</summary>
    Right,
}
