using Dsd.Tiny;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Quickstart;

/// <summary>What the first stage reads: a subject in words.</summary>
internal sealed class CaptionRow
{
    public string Caption { get; set; } = "";
}

/// <summary>A grid of two panels that shall show one subject.</summary>
internal sealed class GridRow
{
    public string Caption { get; set; } = "";

    public string GridPrompt { get; set; } = "";

    public string[] PanelCaptions { get; set; } = [];

    [ImageType(TinyModel.PanelSize, 2 * TinyModel.PanelSize)]
    public MLImage Grid { get; set; } = null!;
}

/// <summary>Two panels of a grid, and what the judge says of them.</summary>
internal sealed class PairRow
{
    public string Caption { get; set; } = "";

    [ImageType(TinyModel.PanelSize, TinyModel.PanelSize)]
    public MLImage Reference { get; set; } = null!;

    [ImageType(TinyModel.PanelSize, TinyModel.PanelSize)]
    public MLImage Target { get; set; } = null!;

    public string Prompt { get; set; } = "";

    public bool Kept { get; set; }

    public float Confidence { get; set; }

    public string Reason { get; set; } = "";
}

/// <summary>What the last stage reads: a subject as a picture, and what it shall do.</summary>
internal class ReferenceRow
{
    public int Subject { get; set; }

    [ImageType(TinyModel.PanelSize, TinyModel.PanelSize)]
    public MLImage Reference { get; set; } = null!;

    public string Prompt { get; set; } = "";

    public long Seed { get; set; }
}

/// <summary>What the last stage gives.</summary>
internal sealed class PictureRow : ReferenceRow
{
    [ImageType(TinyModel.PanelSize, TinyModel.PanelSize)]
    public MLImage Generated { get; set; } = null!;
}
