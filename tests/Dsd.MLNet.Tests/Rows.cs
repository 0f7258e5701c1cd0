using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Dsd.MLNet.Tests;

/// <summary>A row of the whole chain's input.</summary>
public sealed class CaptionRow
{
    public string Caption { get; set; } = "";
}

/// <summary>A caption with a number that tells it from the same caption elsewhere.</summary>
public sealed class NumberedCaptionRow
{
    public string Caption { get; set; } = "";

    public long Number { get; set; }
}

/// <summary>What a grid generator gives.</summary>
public sealed class GridRow
{
    public string Caption { get; set; } = "";

    public string GridPrompt { get; set; } = "";

    public string[] PanelCaptions { get; set; } = [];

    [ImageType(32, 64)]
    public MLImage? Grid { get; set; }
}

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
}

/// <summary>What a generator reads.</summary>
public sealed class ReferenceRow
{
    [ImageType(32, 32)]
    public MLImage? Reference { get; set; }

    public string Prompt { get; set; } = "";
}

/// <summary>What a generator gives.</summary>
public sealed class GeneratedRow
{
    public string Prompt { get; set; } = "";

    [ImageType(32, 32)]
    public MLImage? Generated { get; set; }
}
