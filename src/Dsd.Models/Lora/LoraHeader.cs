using Dsd.Models.Flux;
using Dsd.Models.Weights;

namespace Dsd.Models.Lora;

/// <summary>What an adapter's file says about itself before its tensors are read.</summary>
internal static class LoraHeader
{
    /// <summary>Checks keys, config and shapes of an adapter, and whether it fits a transformer whose own names are diffusers'.</summary>
    /// <returns>Whether it holds layers whole.</returns>
    /// <exception cref="WeightsException">The file is no adapter, or does not fit.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static bool Check(string path, WeightSource transformer)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        LoraMetadata.Of(file);
        LoraKeys keys = LoraKeys.Read(file);
        bool foreign = FluxTransformer.ConfigOf(transformer) is not null;
        List<string> problems = [];
        foreach (LoraKeys.Layer layer in keys.Layers)
        {
            (long[] a, long[] b) = (file.Entry(layer.A).Shape, file.Entry(layer.B).Shape);
            if (a.Length != 2 || b.Length != 2 || a[0] != b[1])
            {
                throw new SafetensorsException(path, layer.A, "factors A [rank, inputs] and B [outputs, rank] of one rank", $"A {file.Entry(layer.A)} and B {file.Entry(layer.B)}");
            }
            string[] missing = foreign ? [] : [.. layer.Parts.Modules.Where(m => m != "c_embedder" && !transformer.Contains(m + ".weight"))];
            problems.AddRange(missing.Select(m => $"{m}: the transformer has no such layer"));
            if (foreign || missing.Length > 0 || layer.Parts.Modules.Count > 1 || !transformer.Contains(layer.Parts.Modules[0] + ".weight"))
            {
                continue;
            }
            long[] own = transformer.Entry(layer.Parts.Modules[0] + ".weight").Shape;
            if (!own.SequenceEqual([b[0], a[1]]))
            {
                problems.Add($"{layer.Parts.Modules[0]}: the layer is [{string.Join(", ", own)}], B·A is [{b[0]}, {a[1]}]");
            }
        }
        return problems.Count == 0
            ? keys.Whole.Count > 0
            : throw new WeightsException(path, $"an adapter that fits the transformer '{transformer.Path}'", $"{problems.Count} layers that do not: {WeightsException.Some(problems, "; ")}");
    }
}
