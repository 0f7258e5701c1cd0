using Dsd.Models.Families;
using Dsd.Models.Layers;
using static TorchSharp.torch;

namespace Dsd.Models.Lora;

/// <summary>An adapter's factors for the layers of Black Forest Labs, some of which are several of this library's: what <see cref="LoraFile"/> parts.</summary>
internal static class PublishedLayers
{
    /// <summary>The factors by published names. Layers that have none, such as <c>c_embedder</c>, keep their own.</summary>
    /// <remarks>The new tensors belong to the caller's dispose scope, the others to the adapter.</remarks>
    /// <exception cref="NotSupportedException">No layer has one.</exception>
    public static IReadOnlyDictionary<string, LoraFactors> Of(IReadOnlyDictionary<string, LoraFactors> factors)
    {
        Dictionary<string, LoraFactors> published = [];
        bool known = false;
        foreach ((string module, LoraFactors own) in factors)
        {
            if (ModelFamilies.PublishedOf(module) is not { } parts)
            {
                published.Add(module, own);
                continue;
            }
            known = true;
            if (!published.ContainsKey(parts.Published))
            {
                published.Add(parts.Published, parts.Shares is null ? Turned(parts, own) : Joined(parts, factors));
            }
        }
        return known || factors.Count == 0
            ? published
            : throw new NotSupportedException(
                $"Black Forest Labs' names, which ComfyUI reads, are known for layers of FLUX, but the adapter has {factors.Keys.First()}. "
                    + "Save it with diffusers' names.");
    }

    private static LoraFactors Turned(LayerParts parts, LoraFactors own) =>
        parts.HalvesSwapped ? own with { B = cat([.. own.B.chunk(2).Reverse()]) } : own;

    /// <summary>
    /// One pair of factors for several layers: their first factors one below the other, and second ones in blocks, so that each layer's outputs see its own.
    /// Where all have the same first factor, as in a file that was parted, it stands once.
    /// </summary>
    private static LoraFactors Joined(LayerParts parts, IReadOnlyDictionary<string, LoraFactors> factors)
    {
        LoraFactors?[] held = [.. parts.Modules.Select(factors.GetValueOrDefault)];
        LoraFactors[] there = [.. held.OfType<LoraFactors>()];
        LoraFactors first = there[0];
        long unit = first.B.shape[0] / parts.Shares![Array.IndexOf(held, first)];
        bool shared = there.Skip(1).All(f => f.A.shape.SequenceEqual(first.A.shape) && f.A.dtype == first.A.dtype && f.A.equal(first.A).all().item<bool>());
        int rank = shared ? first.Rank : there.Sum(f => f.Rank);
        int column = 0;
        List<Tensor> rows = [];
        foreach ((LoraFactors? own, int share) in held.Zip(parts.Shares))
        {
            Tensor block = zeros([share * unit, rank], first.B.dtype);
            if (own is not null)
            {
                // One alpha is left for all of them.
                block.narrow(1, shared ? 0 : column, own.Rank).copy_(own.Scale == first.Scale ? own.B : own.B.Times(own.Scale / first.Scale));
                column += own.Rank;
            }
            rows.Add(block);
        }
        return new LoraFactors(shared ? first.A : cat([.. there.Select(f => f.A.to(first.A.dtype))]), cat(rows), first.Scale * rank);
    }
}
