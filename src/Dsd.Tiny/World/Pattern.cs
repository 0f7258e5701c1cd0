namespace Dsd.Tiny.World;

/// <summary>What is drawn on a creature's body.</summary>
public enum Pattern
{
    /// <summary>Nothing.</summary>
    Plain,

    /// <summary>Horizontal bands.</summary>
    Striped,

    /// <summary>Round spots.</summary>
    Spotted,

    /// <summary>One large oval on the belly.</summary>
    Belly,

    /// <summary>The lower part of the body in the second colour.</summary>
    TwoTone,
}
