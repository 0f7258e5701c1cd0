using Dsd.Onnx.Graph;

namespace Dsd.Evaluation.Networks;

/// <summary>What the vision transformers share: pixels to tokens, attention, activations.</summary>
internal static class VisionLayers
{
    /// <summary>The input of every network here, so that one transform serves them all.</summary>
    public const string Pixels = "pixel_values";

    /// <summary>The input of the text networks.</summary>
    public const string Ids = "input_ids";

    /// <summary>The output of every network.</summary>
    public const string Embedding = "embedding";

    /// <summary>[batch, 3, height, width].</summary>
    public static Value Input(GraphBuilder graph, VisionShape shape) =>
        graph.Input(Pixels, "batch", "3", $"{shape.PictureHeight}", $"{shape.PictureWidth}");

    /// <summary>Tokens [batch, 1 + patches, width]: the class token, then the patches, with their positions.</summary>
    /// <param name="graph">Takes the nodes.</param>
    /// <param name="shape">The network's sizes.</param>
    /// <param name="pixels">[batch, 3, height, width].</param>
    /// <param name="kernel">[width, 3, patch, patch].</param>
    /// <param name="bias">[width]; null is none.</param>
    /// <param name="classToken">Any shape of as many numbers as the width.</param>
    /// <param name="positions">The checkpoint's table: [1 + side · side, width].</param>
    public static Value Tokens(GraphBuilder graph, VisionShape shape, Value pixels, Value kernel, Value? bias, Value classToken, float[] positions)
    {
        Value patches = graph.Conv(pixels, kernel, bias ?? graph.Filled(0, shape.Width), shape.Patch, shape.Patch, [0, 0, 0, 0]);
        patches = graph.Transpose(graph.Reshape(patches, 0, shape.Width, -1), 0, 2, 1); // [batch, patches, width]
        Value one = graph.Concat(0, graph.Dimension(pixels, 0), graph.Ints(1, shape.Width));
        Value first = graph.Node("Expand", [graph.Reshape(classToken, 1, 1, shape.Width), one], 1, [])[0];
        float[] table = PositionTable.For(positions, shape.Width, shape.TableSide, shape.Rows, shape.Columns);
        Value places = graph.Table("positions", table, 1, 1 + shape.Rows * shape.Columns, shape.Width);
        return graph.Add(graph.Concat(1, first, patches), places);
    }

    /// <summary>The class token [batch, width].</summary>
    public static Value First(GraphBuilder graph, Value tokens) => graph.Gather(tokens, graph.Int(0), axis: 1);

    /// <summary>Attention over [batch, tokens, width] that were projected already.</summary>
    public static Value Attention(Layers layers, VisionShape shape, Value q, Value k, Value v)
    {
        int head = shape.Width / shape.Heads;
        Value attended = layers.Attention(
            layers.SplitHeads(q, shape.Heads, head), layers.SplitHeads(k, shape.Heads, head), layers.SplitHeads(v, shape.Heads, head), 1f / MathF.Sqrt(head));
        return layers.MergeHeads(attended, shape.Heads, head);
    }

    /// <summary>CLIP's approximation of GELU.</summary>
    public static Value QuickGelu(GraphBuilder graph, Value x) => graph.Mul(x, graph.Sigmoid(graph.Mul(x, graph.Float(1.702f))));

    /// <summary>An activation by its name in a config.</summary>
    public static Value Activation(GraphBuilder graph, string name, Value x) => name == "quick_gelu" ? QuickGelu(graph, x) : graph.Gelu(x, tanh: false);
}
