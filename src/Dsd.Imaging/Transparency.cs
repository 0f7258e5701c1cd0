namespace Dsd.Imaging;

/// <summary>What becomes of pixels that are transparent when a picture is read.</summary>
public enum Transparency
{
    /// <summary>They are drawn over white, as people see them in most programs.</summary>
    OverWhite,

    /// <summary>
    /// Their transparency is forgotten and their colour stands, whatever it is: what Pillow's <c>convert('RGB')</c> does, and so most metrics.
    /// </summary>
    Dropped,
}
