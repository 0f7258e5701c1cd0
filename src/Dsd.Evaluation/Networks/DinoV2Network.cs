using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;

namespace Dsd.Evaluation.Networks;

/// <summary>
/// DINOv2's vision transformer, as transformers names its parts (<c>Dinov2Model</c>): <c>pixel_values</c> [batch, 3, height, width] → <c>embedding</c>
/// [batch, width], the class token's last state. What each layer adds is scaled channel by channel.
/// </summary>
internal static class DinoV2Network
{
    /// <summary>The graph, from a checkpoint in transformers' layout.</summary>
    /// <param name="shape">The network's sizes.</param>
    /// <param name="activation">The activation's name, where the feed-forward layers are not gated.</param>
    /// <param name="attentionBias">Whether queries, keys and values have a bias.</param>
    /// <param name="gated">Whether the feed-forward layers are gated (SwiGLU), as in the giant.</param>
    /// <param name="weights">The checkpoint.</param>
    public static GraphBuilder Build(VisionShape shape, string activation, bool attentionBias, bool gated, CheckpointWeights weights)
    {
        GraphBuilder graph = new("image_encoder");
        Layers layers = new(graph, weights);
        int width = shape.Width;

        Value x = DinoNetwork.Embed(graph, layers, shape, weights);
        for (int i = 0; i < shape.Layers; i++)
        {
            using IDisposable layer = graph.Scope($"encoder.layer.{i}");
            Value attended = DinoNetwork.Attend(graph, layers, shape, attentionBias, layers.LayerNorm(x, "norm1", width, shape.Epsilon));
            x = graph.Add(x, graph.Mul(attended, layers.Weight("layer_scale1.lambda1", width)));
            Value hidden = FeedForward(graph, layers, shape, activation, gated, layers.LayerNorm(x, "norm2", width, shape.Epsilon));
            x = graph.Add(x, graph.Mul(hidden, layers.Weight("layer_scale2.lambda1", width)));
        }
        x = layers.LayerNorm(VisionLayers.First(graph, x), "layernorm", width, shape.Epsilon);
        graph.Output(VisionLayers.Embedding, x, "batch", $"{width}");
        return graph;
    }

    private static Value FeedForward(GraphBuilder graph, Layers layers, VisionShape shape, string activation, bool gated, Value x)
    {
        using IDisposable scope = graph.Scope("mlp");
        if (!gated)
        {
            Value hidden = VisionLayers.Activation(graph, activation, layers.Linear(x, "fc1", shape.Width, shape.Inner));
            return layers.Linear(hidden, "fc2", shape.Inner, shape.Width);
        }
        Value[] halves = graph.Split(layers.Linear(x, "weights_in", shape.Width, 2 * shape.Inner), axis: -1, parts: 2);
        return layers.Linear(graph.Mul(layers.Silu(halves[0]), halves[1]), "weights_out", shape.Inner, shape.Width);
    }
}
