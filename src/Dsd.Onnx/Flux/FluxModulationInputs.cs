using Dsd.Models.Flux;
using Dsd.Onnx.Graph;
using Dsd.Onnx.Runtime;

namespace Dsd.Onnx.Flux;

/// <summary>
/// The transformer's layers that make shifts, scales and gates of the noise level: in which order their parts stand in a row of the modulation model's
/// output, and what the transformer's inputs for them are called.
/// </summary>
internal static class FluxModulationInputs
{
    private const string Component = "modulation";

    /// <summary>A layer's part of the row.</summary>
    /// <param name="Module">The linear layer in the checkpoint.</param>
    /// <param name="Parts">How many vectors of the model's width it makes.</param>
    /// <param name="Scales">Which of them are scales.</param>
    public sealed record Entry(string Module, int Parts, IReadOnlyList<int> Scales)
    {
        /// <summary>The transformer's input.</summary>
        public string Input => $"modulation.{Module}";

        /// <summary>The weights of the layer, for a model of some width.</summary>
        public long Weights(int width) => (long)Parts * width * width;
    }

    /// <summary>One of the models that make the modulation together. Each holds some of the layers, so that a GPU need not hold all of them at once.</summary>
    /// <param name="Component">Its folder.</param>
    /// <param name="Layers">The layers, in the row's order.</param>
    /// <param name="HasRotary">Whether it gives the rotary angles too. One of them does.</param>
    public sealed record Model(string Component, IReadOnlyList<Entry> Layers, bool HasRotary);

    /// <summary>How many models have at most about as many weights each.</summary>
    public static int CountOf(FluxConfig config, long mostWeights) =>
        (int)Math.Min(Of(config).Count(), (Of(config).Sum(e => e.Weights(config.Width)) + mostWeights - 1) / mostWeights);

    /// <summary>How many models an exported folder has.</summary>
    public static int CountIn(OnnxModelFolder folder) => Math.Max(1, folder.Files.Keys.Count(
        f => f.StartsWith($"{Component}_", StringComparison.Ordinal) && f.EndsWith($"/{ModelWriter.ModelFile}", StringComparison.Ordinal)));

    /// <summary>The models, in the row's order, of about the same size.</summary>
    public static IReadOnlyList<Model> ModelsOf(FluxConfig config, int count)
    {
        Entry[] layers = [.. Of(config)];
        long all = layers.Sum(e => e.Weights(config.Width));
        List<Entry>[] shares = [.. Enumerable.Range(0, count).Select(_ => new List<Entry>())];
        long before = 0;
        foreach (Entry layer in layers)
        {
            // A layer belongs where its middle falls.
            shares[(int)((before + layer.Weights(config.Width) / 2) * count / all)].Add(layer);
            before += layer.Weights(config.Width);
        }
        return [.. shares.Select((share, i) => new Model(count == 1 ? Component : $"{Component}_{i + 1}", share, HasRotary: i == 0))];
    }

    /// <summary>All layers, in the row's order.</summary>
    public static IEnumerable<Entry> Of(FluxConfig config)
    {
        for (int i = 0; i < config.NumLayers; i++)
        {
            // Shift, scale and gate of the attention, then of the MLP.
            yield return new Entry($"transformer_blocks.{i}.norm1.linear", 6, [1, 4]);
            yield return new Entry($"transformer_blocks.{i}.norm1_context.linear", 6, [1, 4]);
        }
        for (int i = 0; i < config.NumSingleLayers; i++)
        {
            yield return new Entry($"single_transformer_blocks.{i}.norm.linear", 3, [1]);
        }
        yield return new Entry("norm_out.linear", 2, [0]);
    }
}
