using Dsd.Models.Autoencoder;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Export;

/// <summary>The encoder of the autoencoder: <c>image</c> → <c>mean</c>, <c>logvar</c>, of any batch, height and width.</summary>
internal static class VaeEncoderExport
{
    private const float LeastLogVariance = -30f;
    private const float MostLogVariance = 20f;

    /// <summary>The graph, from a checkpoint in diffusers' layout.</summary>
    public static GraphBuilder Build(VaeConfig config, CheckpointWeights weights)
    {
        GraphBuilder graph = new("vae_encoder");
        Layers layers = new(graph, weights);
        VaeBlocks blocks = new(graph, layers, config);
        IReadOnlyList<int> channels = config.BlockOutChannels;
        int moments = 2 * config.LatentChannels;

        Value x = graph.Input("image", "batch", $"{config.InChannels}", "height", "width");
        using (graph.Scope("encoder"))
        {
            x = layers.Conv(x, "conv_in", config.InChannels, channels[0], kernel: 3);
            for (int level = 0; level < channels.Count; level++)
            {
                using IDisposable block = graph.Scope($"down_blocks.{level}");
                for (int i = 0; i < config.LayersPerBlock; i++)
                {
                    x = blocks.Resnet(x, $"resnets.{i}", i == 0 ? channels[Math.Max(level - 1, 0)] : channels[level], channels[level]);
                }
                if (level < channels.Count - 1)
                {
                    // Half the resolution; the row and column of zeros lie below and to the right.
                    x = layers.Conv(x, "downsamplers.0.conv", channels[level], channels[level], kernel: 3, stride: 2, pads: [0, 0, 1, 1]);
                }
            }
            x = blocks.Middle(x, channels[^1]);
            x = blocks.NormAndSilu(x, "conv_norm_out", channels[^1]);
            x = layers.Conv(x, "conv_out", channels[^1], moments, kernel: 3);
        }
        x = config.UseQuantConv ? layers.Conv(x, "quant_conv", moments, moments, kernel: 1) : x;
        Value[] halves = graph.Split(x, axis: 1, parts: 2); // each [batch, latent channels, height / factor, width / factor]
        string[] shape = ["batch", $"{config.LatentChannels}", "latent_height", "latent_width"];
        graph.Output("mean", halves[0], shape);
        graph.Output("logvar", graph.Clip(halves[1], graph.Float(LeastLogVariance), graph.Float(MostLogVariance)), shape);
        return graph;
    }
}
