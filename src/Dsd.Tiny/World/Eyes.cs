namespace Dsd.Tiny.World;

/// <summary>The kind of eyes.</summary>
public enum Eyes
{
    /// <summary>Two large white eyes.</summary>
    Two,

    /// <summary>One very large eye.</summary>
    One,

    /// <summary>Three eyes in a row.</summary>
    Three,

    /// <summary>Two happily closed eyes.</summary>
    Closed,

    /// <summary>Two black dots.</summary>
    Dots,
}
