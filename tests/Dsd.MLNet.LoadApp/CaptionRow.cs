namespace Dsd.MLNet.LoadApp;

/// <summary>A row of the whole chain's input.</summary>
public sealed class CaptionRow
{
    public string Caption { get; set; } = "";

    public float Number { get; set; }
}
