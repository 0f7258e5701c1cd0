using Dsd.Models.Flux;

namespace Dsd.Onnx.Flux;

/// <summary>
/// The transformer's layers that make shifts, scales and gates of the noise level: in which order their parts stand in a row of the modulation model's
/// output, and what the transformer's inputs for them are called.
/// </summary>
internal static class FluxModulationInputs
{
    /// <summary>A layer's part of the row.</summary>
    /// <param name="Module">The linear layer in the checkpoint.</param>
    /// <param name="Parts">How many vectors of the model's width it makes.</param>
    /// <param name="Scales">Which of them are scales.</param>
    public sealed record Entry(string Module, int Parts, IReadOnlyList<int> Scales)
    {
        /// <summary>The transformer's input.</summary>
        public string Input => $"modulation.{Module}";
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
