namespace Dsd.Tiny.World;

/// <summary>The kind of mouth.</summary>
public enum Mouth
{
    /// <summary>A curved line.</summary>
    Smile,

    /// <summary>A wide open red mouth.</summary>
    Open,

    /// <summary>A grin with white teeth.</summary>
    Teeth,

    /// <summary>An orange beak.</summary>
    Beak,
}
