namespace Dsd.Tiny.World;

/// <summary>What a creature does.</summary>
public enum Pose
{
    /// <summary>Stands with its arms down.</summary>
    Standing,

    /// <summary>Stands and raises one arm.</summary>
    Waving,

    /// <summary>Is in the air with both arms up.</summary>
    Jumping,

    /// <summary>Sits with its feet in front.</summary>
    Sitting,

    /// <summary>Lies on its side.</summary>
    Lying,

    /// <summary>Leans forward in a long stride.</summary>
    Running,
}
