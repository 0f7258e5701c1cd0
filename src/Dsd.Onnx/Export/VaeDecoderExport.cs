using Dsd.Models.Autoencoder;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Export;

/// <summary>The decoder of the autoencoder: <c>latent</c> (unscaled) → <c>image</c>, of any batch, height and width.</summary>
internal static class VaeDecoderExport
{
    /// <summary>The graph, from a checkpoint in diffusers' layout.</summary>
    public static GraphBuilder Build(VaeConfig config, CheckpointWeights weights)
    {
        GraphBuilder graph = new("vae_decoder");
        Layers layers = new(graph, weights);
        VaeBlocks blocks = new(graph, layers, config);
        int[] channels = [.. config.BlockOutChannels.Reverse()];

        Value x = graph.Input("latent", "batch", $"{config.LatentChannels}", "latent_height", "latent_width");
        x = config.UsePostQuantConv ? layers.Conv(x, "post_quant_conv", config.LatentChannels, config.LatentChannels, kernel: 1) : x;
        using (graph.Scope("decoder"))
        {
            x = layers.Conv(x, "conv_in", config.LatentChannels, channels[0], kernel: 3);
            x = blocks.Middle(x, channels[0]);
            for (int level = 0; level < channels.Length; level++)
            {
                using IDisposable block = graph.Scope($"up_blocks.{level}");
                for (int i = 0; i <= config.LayersPerBlock; i++)
                {
                    x = blocks.Resnet(x, $"resnets.{i}", i == 0 ? channels[Math.Max(level - 1, 0)] : channels[level], channels[level]);
                }
                if (level < channels.Length - 1)
                {
                    x = layers.Conv(graph.Resize(x, 1, 1, 2, 2), "upsamplers.0.conv", channels[level], channels[level], kernel: 3);
                }
            }
            x = blocks.NormAndSilu(x, "conv_norm_out", channels[^1]);
            x = layers.Conv(x, "conv_out", channels[^1], config.OutChannels, kernel: 3);
        }
        graph.Output("image", x, "batch", $"{config.OutChannels}", "height", "width");
        return graph;
    }
}
