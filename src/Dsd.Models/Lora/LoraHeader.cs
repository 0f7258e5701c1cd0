using Dsd.Models.Weights;

namespace Dsd.Models.Lora;

/// <summary>What an adapter's file says about itself before its tensors are read.</summary>
internal static class LoraHeader
{
    /// <summary>Checks keys, config and shapes of an adapter, and whether it fits a transformer whose own names are diffusers'.</summary>
    /// <param name="use">The adapter.</param>
    /// <param name="transformer">The network's weights.</param>
    /// <param name="namesAreOwn">Whether their names are this library's.</param>
    /// <returns>Whether it holds layers whole.</returns>
    /// <exception cref="WeightsException">The file is no adapter, or does not fit.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static bool Check(LoraUse use, WeightSource transformer, bool namesAreOwn)
    {
        (IReadOnlyList<Layer> layers, bool hasWhole) = Read(use);
        List<string> problems = [];
        foreach (Layer layer in namesAreOwn ? layers : [])
        {
            string[] missing = [.. layer.Modules.Where(m => m != "c_embedder" && !transformer.Contains(m + ".weight"))];
            problems.AddRange(missing.Select(m => $"{m}: the transformer has no such layer"));
            if (missing.Length > 0 || layer.Modules.Count > 1 || !transformer.Contains(layer.Modules[0] + ".weight"))
            {
                continue;
            }
            long[] own = transformer.Entry(layer.Modules[0] + ".weight").Shape;
            if (!own.SequenceEqual([layer.Outputs, layer.Inputs]))
            {
                problems.Add($"{layer.Modules[0]}: the layer is [{string.Join(", ", own)}], B·A is [{layer.Outputs}, {layer.Inputs}]");
            }
        }
        return problems.Count == 0
            ? hasWhole
            : throw new WeightsException(
                use.Source,
                $"an adapter that fits the transformer '{transformer.Path}'",
                $"{problems.Count} layers that do not: {WeightsException.Some(problems, "; ")}");
    }

    private static (IReadOnlyList<Layer> Layers, bool HasWhole) Read(LoraUse use)
    {
        if (use.Adapter is { } adapter)
        {
            return ([.. adapter.Factors.Select(f => new Layer([f.Key], f.Value.B.shape[0], f.Value.A.shape[1]))], adapter.Whole.Count > 0);
        }
        using SafetensorsFile file = SafetensorsFile.Open(use.File!);
        LoraContents contents = LoraFile.Contents(file, use.TextEncoders);
        return ([.. contents.Layers.Select(l => new Layer(l.Parts.Modules, l.B.Shape[0], l.A.Shape[1]))], contents.Whole.Count > 0);
    }

    /// <summary>The shape of an adapted layer, which may be several of the transformer's.</summary>
    private sealed record Layer(IReadOnlyList<string> Modules, long Outputs, long Inputs);
}
