namespace Dsd.Tiny.World;

/// <summary>The time of day and with it the colour of the light.</summary>
public enum Light
{
    /// <summary>White light.</summary>
    Day,

    /// <summary>Warm, low light.</summary>
    Sunset,

    /// <summary>Dim blue light.</summary>
    Night,
}
