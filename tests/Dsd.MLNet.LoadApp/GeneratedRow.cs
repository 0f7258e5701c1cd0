using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Dsd.MLNet.LoadApp;

/// <summary>What a generator gives.</summary>
public sealed class GeneratedRow
{
    public string Prompt { get; set; } = "";

    [ImageType(32, 32)]
    public MLImage? Generated { get; set; }
}
