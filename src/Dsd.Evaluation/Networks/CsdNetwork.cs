using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;

namespace Dsd.Evaluation.Networks;

/// <summary>
/// CSD's network, CLIP's image tower in OpenAI's naming with a head for style: <c>pixel_values</c> [batch, 3, height, width] → <c>embedding</c>
/// [batch, style], of length 1.
/// </summary>
internal static class CsdNetwork
{
    /// <summary>The head for style: what tells that a checkpoint is CSD's.</summary>
    public const string StyleHead = "last_layer_style";

    /// <summary>The head for content, which no metric here asks for. It may have several parts.</summary>
    public const string ContentHead = "last_layer_content";

    private const float LeastLength = 1e-12f;

    /// <summary>The graph, from CSD's checkpoint.</summary>
    /// <param name="shape">The network's sizes.</param>
    /// <param name="style">Numbers of an embedding.</param>
    /// <param name="weights">The checkpoint.</param>
    public static GraphBuilder Build(VisionShape shape, int style, CheckpointWeights weights)
    {
        GraphBuilder graph = new("image_encoder");
        Layers layers = new(graph, weights);
        int width = shape.Width;

        Value x = VisionLayers.Input(graph, shape);
        using (graph.Scope("backbone"))
        {
            x = VisionLayers.Tokens(
                graph, shape, x,
                layers.Weight("conv1.weight", width, 3, shape.Patch, shape.Patch),
                bias: null,
                layers.Weight("class_embedding", width),
                weights.Values(graph.Path("positional_embedding"), shape.TableRows, width));
            x = layers.LayerNorm(x, "ln_pre", width, shape.Epsilon);
            for (int i = 0; i < shape.Layers; i++)
            {
                using IDisposable layer = graph.Scope($"transformer.resblocks.{i}");
                x = graph.Add(x, Attend(graph, layers, shape, layers.LayerNorm(x, "ln_1", width, shape.Epsilon)));
                Value hidden = layers.Linear(layers.LayerNorm(x, "ln_2", width, shape.Epsilon), "mlp.c_fc", width, shape.Inner);
                x = graph.Add(x, layers.Linear(VisionLayers.QuickGelu(graph, hidden), "mlp.c_proj", shape.Inner, width));
            }
            x = layers.LayerNorm(VisionLayers.First(graph, x), "ln_post", width, shape.Epsilon);
        }
        x = graph.MatMul(x, layers.Weight(StyleHead, width, style)); // [batch, style]
        Value length = graph.Node("ReduceL2", [x, graph.Ints(-1)], 1, [("keepdims", 1)])[0];
        x = graph.Div(x, graph.Node("Max", [length, graph.Float(LeastLength)], 1, [])[0]);
        graph.Output(VisionLayers.Embedding, x, "batch", $"{style}");
        return graph;
    }

    private static Value Attend(GraphBuilder graph, Layers layers, VisionShape shape, Value x)
    {
        using IDisposable scope = graph.Scope("attn");
        int width = shape.Width;
        // Query, key and value are one weight, which is not called as other layers' are.
        Value weight = graph.Transpose(layers.Weight("in_proj_weight", 3 * width, width), 1, 0);
        Value[] parts = graph.Split(graph.Add(graph.MatMul(x, weight), layers.Weight("in_proj_bias", 3 * width)), axis: -1, parts: 3);
        return layers.Linear(VisionLayers.Attention(layers, shape, parts[0], parts[1], parts[2]), "out_proj", width, width);
    }
}
