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
        using SafetensorsFile file = SafetensorsFile.Open(use.File);
        LoraContents contents = LoraFile.Contents(file, use.TextEncoders);
        bool foreign = !namesAreOwn;
        List<string> problems = [];
        foreach (LoraContents.Layer layer in contents.Layers)
        {
            string[] missing = foreign ? [] : [.. layer.Parts.Modules.Where(m => m != "c_embedder" && !transformer.Contains(m + ".weight"))];
            problems.AddRange(missing.Select(m => $"{m}: the transformer has no such layer"));
            if (foreign || missing.Length > 0 || layer.Parts.Modules.Count > 1 || !transformer.Contains(layer.Parts.Modules[0] + ".weight"))
            {
                continue;
            }
            (long outputs, long inputs) = (layer.B.Shape[0], layer.A.Shape[1]);
            long[] own = transformer.Entry(layer.Parts.Modules[0] + ".weight").Shape;
            if (!own.SequenceEqual([outputs, inputs]))
            {
                problems.Add($"{layer.Parts.Modules[0]}: the layer is [{string.Join(", ", own)}], B·A is [{outputs}, {inputs}]");
            }
        }
        return problems.Count == 0
            ? contents.Whole.Count > 0
            : throw new WeightsException(use.File, $"an adapter that fits the transformer '{transformer.Path}'", $"{problems.Count} layers that do not: {WeightsException.Some(problems, "; ")}");
    }
}
