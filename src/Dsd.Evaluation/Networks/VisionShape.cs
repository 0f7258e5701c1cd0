namespace Dsd.Evaluation.Networks;

/// <summary>The sizes that every vision transformer here has.</summary>
/// <param name="Width">Channels of a token.</param>
/// <param name="Inner">Channels inside the feed-forward layers.</param>
/// <param name="Layers">Layers.</param>
/// <param name="Heads">Attention heads, a divisor of the width.</param>
/// <param name="Patch">Pixels of a patch's side.</param>
/// <param name="TableSide">Patches along each side of the picture that the position table was learned for.</param>
/// <param name="PictureWidth">Width of the picture that comes in, a multiple of the patch.</param>
/// <param name="PictureHeight">Height of the picture that comes in, a multiple of the patch.</param>
/// <param name="Epsilon">What layer normalisation adds to the variance.</param>
internal sealed record VisionShape(
    int Width, int Inner, int Layers, int Heads, int Patch, int TableSide, int PictureWidth, int PictureHeight, float Epsilon)
{
    /// <summary>Patches across.</summary>
    public int Columns => PictureWidth / Patch;

    /// <summary>Patches down.</summary>
    public int Rows => PictureHeight / Patch;

    /// <summary>Rows of the checkpoint's position table.</summary>
    public int TableRows => 1 + TableSide * TableSide;
}
