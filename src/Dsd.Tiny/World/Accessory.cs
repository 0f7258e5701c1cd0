namespace Dsd.Tiny.World;

/// <summary>What a creature wears.</summary>
public enum Accessory
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>A top hat.</summary>
    Hat,

    /// <summary>A crown.</summary>
    Crown,

    /// <summary>A bow tie.</summary>
    Bow,

    /// <summary>A scarf with a hanging end.</summary>
    Scarf,

    /// <summary>Glasses with thick frames.</summary>
    Glasses,

    /// <summary>A cape behind the body.</summary>
    Cape,
}
