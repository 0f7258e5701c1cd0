namespace Dsd.Tiny.World;

/// <summary>How large a creature is in the picture.</summary>
public enum SubjectScale
{
    /// <summary>As if far away.</summary>
    Small,

    /// <summary>In between.</summary>
    Medium,

    /// <summary>As if close.</summary>
    Large,
}
