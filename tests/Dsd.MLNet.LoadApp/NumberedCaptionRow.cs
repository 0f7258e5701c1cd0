namespace Dsd.MLNet.LoadApp;

/// <summary>A caption with a number that tells it from the same caption elsewhere.</summary>
public sealed class NumberedCaptionRow
{
    public string Caption { get; set; } = "";

    public long Number { get; set; }
}
