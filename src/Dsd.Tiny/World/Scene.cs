namespace Dsd.Tiny.World;

/// <summary>Where a picture takes place.</summary>
public enum Scene
{
    /// <summary>Sand, sea and a palm.</summary>
    Beach,

    /// <summary>Many trees.</summary>
    Forest,

    /// <summary>Houses and a street.</summary>
    City,

    /// <summary>White hills, firs and snowflakes.</summary>
    Snow,

    /// <summary>Dunes, cacti and a pyramid.</summary>
    Desert,

    /// <summary>Green hills and flowers.</summary>
    Meadow,

    /// <summary>A room with a window and a rug.</summary>
    Room,

    /// <summary>The bottom of the sea.</summary>
    Underwater,

    /// <summary>The ground of a moon under planets.</summary>
    Space,

    /// <summary>A theatre stage with red curtains.</summary>
    Stage,
}
