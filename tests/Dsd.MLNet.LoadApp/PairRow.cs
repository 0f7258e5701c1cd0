using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Dsd.MLNet.LoadApp;

/// <summary>What a curator gives.</summary>
public sealed class PairRow
{
    public string Caption { get; set; } = "";

    [ImageType(32, 32)]
    public MLImage? Reference { get; set; }

    [ImageType(32, 32)]
    public MLImage? Target { get; set; }

    public string Prompt { get; set; } = "";

    public bool Kept { get; set; }

    public float Confidence { get; set; }

    public string Reason { get; set; } = "";

    public float Number { get; set; }
}
