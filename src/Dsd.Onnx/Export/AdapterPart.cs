using Dsd.Models.Lora;

namespace Dsd.Onnx.Export;

/// <summary>
/// The part of one adapter or more for one network, as it is merged: layers by weight name, whole tensors that replace or extend the checkpoint's, and an
/// account of what was used.
/// </summary>
internal sealed class AdapterPart
{
    private readonly HashSet<(string, string)> _used = [];
    private readonly IReadOnlyList<Part> _parts;

    private AdapterPart(IReadOnlyList<Part> parts) => _parts = parts;

    /// <summary>Whether nothing is to be merged.</summary>
    public bool IsEmpty => _parts.All(p => p.Layers.Count + p.Whole.Count == 0);

    /// <summary>The part for the denoising network.</summary>
    /// <param name="adapters">The adapters, and what the additions of each are multiplied by beside alpha / rank. They must outlive the result.</param>
    public static AdapterPart OfNetwork(params IReadOnlyList<(LoraTables Tables, float Strength)> adapters) =>
        new([.. adapters.Select(a => new Part(a.Tables.Source, a.Tables.Layers, a.Tables.Whole, a.Strength))]);

    /// <summary>The part for CLIP's text encoder; it may be empty.</summary>
    /// <inheritdoc cref="OfNetwork"/>
    public static AdapterPart OfClip(params IReadOnlyList<(LoraTables Tables, float Strength)> adapters) =>
        new([.. adapters.Select(a => new Part(a.Tables.Source, a.Tables.ClipLayers, new Dictionary<string, LoraWholeTable>(), a.Strength))]);

    /// <summary>A whole tensor that stands in for the checkpoint's; null is none. One of another shape is added to the faults.</summary>
    public float[]? Whole(string name, long[] shape, List<string> faults)
    {
        Part[] holders = [.. _parts.Where(p => p.Whole.ContainsKey(name))];
        if (holders.Length == 0)
        {
            return null;
        }
        if (holders.Length > 1)
        {
            faults.Add($"'{name}' whole in both '{holders[0].Source}' and '{holders[1].Source}', of which one alone can take the model's place");
        }
        Part part = holders[0];
        _used.UnionWith(holders.Select(h => (h.Source, name)));
        LoraWholeTable whole = part.Whole[name];
        if (!whole.Shape.SequenceEqual(shape))
        {
            faults.Add($"'{name}' [{string.Join(", ", whole.Shape)}] of '{part.Source}' where the config asks for [{string.Join(", ", shape)}]");
        }
        return whole.Read();
    }

    /// <summary>
    /// What is added to a weight [outputs, inputs], read anew each time that it is called; null is nothing. Factors that do not fit are added to the faults.
    /// </summary>
    public Func<LayerAddition>? Addition(string weight, int inputs, int outputs, List<string> faults)
    {
        string module = weight[..^".weight".Length];
        (Part Part, LoraLayerTables Layer)[] found =
            [.. _parts.Where(p => p.Layers.ContainsKey(module)).Select(p => (p, p.Layers[module]))];
        foreach ((Part part, LoraLayerTables layer) in found)
        {
            _used.Add((part.Source, module));
            if (layer.Inputs != inputs || layer.Outputs != outputs)
            {
                faults.Add(
                    $"'{module}' of '{part.Source}' adapts {layer.Inputs} inputs and {layer.Outputs} outputs "
                        + $"where the layer has {inputs} and {outputs}");
            }
        }
        return found.Length == 0
            ? null
            : () => new LayerAddition(string.Join("' and '", found.Select(f => f.Part.Source)), [.. found.Select(f => (f.Layer, f.Part.Strength))]);
    }

    /// <summary>What found no place in the graphs, as faults.</summary>
    public IEnumerable<string> Unused() => _parts.SelectMany(part => part.Layers.Keys.Concat(part.Whole.Keys)
        .Where(n => !_used.Contains((part.Source, n)))
        .Select(n => $"'{part.Source}' holds '{n}', which this model lacks"));

    private sealed record Part(
        string Source, IReadOnlyDictionary<string, LoraLayerTables> Layers, IReadOnlyDictionary<string, LoraWholeTable> Whole, float Strength);
}
