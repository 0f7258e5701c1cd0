using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;

namespace Dsd.Evaluation.Networks;

/// <summary>CLIP's image tower with its projection: <c>pixel_values</c> [batch, 3, height, width] → <c>embedding</c> [batch, projection].</summary>
internal static class ClipImageNetwork
{
    /// <summary>The graph, from a checkpoint in transformers' layout.</summary>
    /// <param name="shape">The tower's sizes.</param>
    /// <param name="activation">The activation's name.</param>
    /// <param name="projection">Numbers of an embedding.</param>
    /// <param name="weights">The checkpoint.</param>
    public static GraphBuilder Build(VisionShape shape, string activation, int projection, CheckpointWeights weights)
    {
        GraphBuilder graph = new("image_encoder");
        Layers layers = new(graph, weights);
        int width = shape.Width;

        Value x = VisionLayers.Input(graph, shape);
        using (graph.Scope("vision_model"))
        {
            using (graph.Scope("embeddings"))
            {
                x = VisionLayers.Tokens(
                    graph, shape, x,
                    layers.Weight("patch_embedding.weight", width, 3, shape.Patch, shape.Patch),
                    bias: null,
                    layers.Weight("class_embedding", width),
                    weights.Values(graph.Path("position_embedding.weight"), shape.TableRows, width));
            }
            x = layers.LayerNorm(x, "pre_layrnorm", width, shape.Epsilon); // spelt so in every checkpoint
            for (int i = 0; i < shape.Layers; i++)
            {
                using IDisposable layer = graph.Scope($"encoder.layers.{i}");
                x = graph.Add(x, Attend(graph, layers, shape, layers.LayerNorm(x, "layer_norm1", width, shape.Epsilon)));
                x = graph.Add(x, FeedForward(graph, layers, shape, activation, layers.LayerNorm(x, "layer_norm2", width, shape.Epsilon)));
            }
            x = layers.LayerNorm(VisionLayers.First(graph, x), "post_layernorm", width, shape.Epsilon);
        }
        x = layers.Linear(x, "visual_projection", width, projection, bias: false);
        graph.Output(VisionLayers.Embedding, x, "batch", $"{projection}");
        return graph;
    }

    private static Value Attend(GraphBuilder graph, Layers layers, VisionShape shape, Value x)
    {
        using IDisposable scope = graph.Scope("self_attn");
        int width = shape.Width;
        Value attended = VisionLayers.Attention(
            layers, shape, layers.Linear(x, "q_proj", width, width), layers.Linear(x, "k_proj", width, width), layers.Linear(x, "v_proj", width, width));
        return layers.Linear(attended, "out_proj", width, width);
    }

    private static Value FeedForward(GraphBuilder graph, Layers layers, VisionShape shape, string activation, Value x)
    {
        using IDisposable scope = graph.Scope("mlp");
        Value hidden = VisionLayers.Activation(graph, activation, layers.Linear(x, "fc1", shape.Width, shape.Inner));
        return layers.Linear(hidden, "fc2", shape.Inner, shape.Width);
    }
}
