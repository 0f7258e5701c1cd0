using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;

namespace Dsd.Evaluation.Networks;

/// <summary>
/// DINO's vision transformer, as transformers names its parts (<c>ViTModel</c>): <c>pixel_values</c> [batch, 3, height, width] → <c>embedding</c>
/// [batch, width], the class token's last state.
/// </summary>
internal static class DinoNetwork
{
    /// <summary>The graph, from a checkpoint in transformers' layout.</summary>
    /// <param name="shape">The network's sizes.</param>
    /// <param name="activation">The activation's name.</param>
    /// <param name="attentionBias">Whether queries, keys and values have a bias.</param>
    /// <param name="weights">The checkpoint.</param>
    public static GraphBuilder Build(VisionShape shape, string activation, bool attentionBias, CheckpointWeights weights)
    {
        GraphBuilder graph = new("image_encoder");
        Layers layers = new(graph, weights);
        int width = shape.Width;

        Value x = Embed(graph, layers, shape, weights);
        for (int i = 0; i < shape.Layers; i++)
        {
            using IDisposable layer = graph.Scope($"encoder.layer.{i}");
            x = graph.Add(x, Attend(graph, layers, shape, attentionBias, layers.LayerNorm(x, "layernorm_before", width, shape.Epsilon)));
            Value hidden = layers.Linear(layers.LayerNorm(x, "layernorm_after", width, shape.Epsilon), "intermediate.dense", width, shape.Inner);
            x = graph.Add(x, layers.Linear(VisionLayers.Activation(graph, activation, hidden), "output.dense", shape.Inner, width));
        }
        x = layers.LayerNorm(VisionLayers.First(graph, x), "layernorm", width, shape.Epsilon);
        graph.Output(VisionLayers.Embedding, x, "batch", $"{width}");
        return graph;
    }

    /// <summary>The picture as tokens [batch, 1 + patches, width], from parts that DINOv2 names in the same way.</summary>
    public static Value Embed(GraphBuilder graph, Layers layers, VisionShape shape, CheckpointWeights weights)
    {
        Value pixels = VisionLayers.Input(graph, shape);
        using IDisposable scope = graph.Scope("embeddings");
        int width = shape.Width;
        return VisionLayers.Tokens(
            graph, shape, pixels,
            layers.Weight("patch_embeddings.projection.weight", width, 3, shape.Patch, shape.Patch),
            layers.Weight("patch_embeddings.projection.bias", width),
            layers.Weight("cls_token", 1, 1, width),
            weights.Values(graph.Path("position_embeddings"), 1, shape.TableRows, width));
    }

    /// <summary>Attention, whose parts DINOv2 names in the same way.</summary>
    public static Value Attend(GraphBuilder graph, Layers layers, VisionShape shape, bool bias, Value x)
    {
        using IDisposable scope = graph.Scope("attention");
        int width = shape.Width;
        Value attended = VisionLayers.Attention(
            layers, shape,
            layers.Linear(x, "attention.query", width, width, bias),
            layers.Linear(x, "attention.key", width, width, bias),
            layers.Linear(x, "attention.value", width, width, bias));
        return layers.Linear(attended, "output.dense", width, width);
    }
}
