namespace Dsd.MLNet.LoadApp;

/// <summary>What a fine-tuner adds.</summary>
public sealed class AdapterRow
{
    public LoraWeights? Adapter { get; set; }
}
