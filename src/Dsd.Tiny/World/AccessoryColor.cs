namespace Dsd.Tiny.World;

/// <summary>The colour of what a creature wears.</summary>
public enum AccessoryColor
{
    /// <summary>It wears nothing.</summary>
    None,

    /// <summary>Red.</summary>
    Red,

    /// <summary>Yellow.</summary>
    Yellow,

    /// <summary>Green.</summary>
    Green,

    /// <summary>Blue.</summary>
    Blue,

    /// <summary>Purple.</summary>
    Purple,

    /// <summary>Black.</summary>
    Black,
}
