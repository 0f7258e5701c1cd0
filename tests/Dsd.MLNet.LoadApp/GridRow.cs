using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Dsd.MLNet.LoadApp;

/// <summary>What a grid generator gives.</summary>
public sealed class GridRow
{
    public string Caption { get; set; } = "";

    public string GridPrompt { get; set; } = "";

    public string[] PanelCaptions { get; set; } = [];

    [ImageType(32, 64)]
    public MLImage? Grid { get; set; }

    public float Number { get; set; }
}
