namespace Dsd.Tiny.World;

/// <summary>The outline of a creature's body.</summary>
public enum BodyShape
{
    /// <summary>A ball.</summary>
    Round,

    /// <summary>A capsule, higher than wide.</summary>
    Tall,

    /// <summary>A box with soft corners.</summary>
    Square,

    /// <summary>Narrow above, wide below.</summary>
    Pear,

    /// <summary>A plump five-pointed star.</summary>
    Star,

    /// <summary>A triangle standing on its side.</summary>
    Triangle,

    /// <summary>A fluffy outline of many bumps.</summary>
    Cloud,

    /// <summary>A heart.</summary>
    Heart,
}
