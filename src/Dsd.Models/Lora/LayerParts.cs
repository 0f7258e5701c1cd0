namespace Dsd.Models.Lora;

/// <summary>Which layers of this library, whose names are diffusers', a layer by another project's name stands for.</summary>
/// <param name="Published">Its name in that project.</param>
/// <param name="Modules">The layers that its outputs are divided among, in order.</param>
/// <param name="Shares">The proportions of the division; null where there is one module.</param>
public sealed record LayerParts(string Published, IReadOnlyList<string> Modules, IReadOnlyList<int>? Shares = null)
{
    /// <summary>Whether the first half of the outputs is the layer's second half.</summary>
    public bool HalvesSwapped { get; init; }

    /// <summary>How many outputs each layer gets; null where they cannot be divided so.</summary>
    public long[]? Divide(long outputs)
    {
        if (Shares is null)
        {
            return HalvesSwapped && outputs % 2 != 0 ? null : [outputs];
        }
        long all = Shares.Sum();
        return outputs % all == 0 ? [.. Shares.Select(s => outputs / all * s)] : null;
    }
}
