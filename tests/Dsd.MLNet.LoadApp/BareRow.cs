using Microsoft.ML.Data;

namespace Dsd.MLNet.LoadApp;

/// <summary>A row whose properties have no attributes.</summary>
public sealed class BareRow
{
    public MLImage? Image { get; set; }

    public LoraWeights? Adapter { get; set; }
}
