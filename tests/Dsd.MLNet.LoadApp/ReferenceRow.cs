using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Dsd.MLNet.LoadApp;

/// <summary>What a generator reads.</summary>
public sealed class ReferenceRow
{
    [ImageType(32, 32)]
    public MLImage? Reference { get; set; }

    public string Prompt { get; set; } = "";

    public float Number { get; set; }
}
