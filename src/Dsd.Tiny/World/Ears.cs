namespace Dsd.Tiny.World;

/// <summary>What grows on top of the head, one on each side.</summary>
public enum Ears
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Pointed ears.</summary>
    Cat,

    /// <summary>Long upright ears.</summary>
    Bunny,

    /// <summary>Small round ears.</summary>
    Bear,

    /// <summary>Ears that hang down at the sides.</summary>
    Floppy,

    /// <summary>Curved pale horns.</summary>
    Horns,

    /// <summary>Stalks with balls.</summary>
    Antennae,
}
