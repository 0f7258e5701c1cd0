using Dsd.Models.Text;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Export;

/// <summary>
/// CLIP's text model: <c>input_ids</c> [batch, tokens] → <c>last_hidden_state</c>, <c>pooler_output</c>, of any batch and length up to the config's.
/// </summary>
public static class ClipTextExport
{
    private const int LegacyEndOfText = 2;

    /// <summary>What checkpoints of transformers before version 5 put before every name.</summary>
    public const string LegacyPrefix = "text_model.";

    /// <summary>Whether the graph ought to use a tensor: older files also hold the numbers 0, 1, 2 … of the positions.</summary>
    public static bool Belongs(string name) =>
        !name.EndsWith("embeddings.position_ids", StringComparison.Ordinal) && !name.StartsWith("text_projection", StringComparison.Ordinal);

    /// <summary>The graph, from a checkpoint in transformers' layout.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="weights">The checkpoint.</param>
    /// <param name="format">How it is written; null is single precision.</param>
    public static GraphBuilder Build(ClipTextConfig config, CheckpointWeights weights, GraphFormat? format = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        GraphBuilder graph = new("text_encoder", (format ?? GraphFormat.Plain).Floats);
        Value ids = graph.Input("input_ids", ElementType.Int64, "batch", "tokens");
        (Value states, Value pooled) = Encode(graph, new Layers(graph, weights), config, ids);
        graph.Output("last_hidden_state", states, "batch", "tokens", $"{config.HiddenSize}");
        graph.Output("pooler_output", pooled, "batch", $"{config.HiddenSize}");
        return graph;
    }

    /// <summary>The model within a graph that goes on with what comes out.</summary>
    /// <param name="graph">Takes the nodes.</param>
    /// <param name="layers">The model's weights, as they are named in the open scope.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="ids">Token ids [batch, tokens].</param>
    /// <returns>The last states [batch, tokens, width], and that of the end of each text [batch, width].</returns>
    public static (Value States, Value Pooled) Encode(GraphBuilder graph, Layers layers, ClipTextConfig config, Value ids)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentNullException.ThrowIfNull(config);
        (int width, float epsilon) = (config.HiddenSize, (float)config.LayerNormEps);

        Value x;
        using (graph.Scope("embeddings"))
        {
            Value tokens = graph.Gather(layers.Weight("token_embedding.weight", config.VocabSize, width), ids);
            Value positions = layers.Weight("position_embedding.weight", config.MaxPositionEmbeddings, width);
            x = graph.Add(tokens, graph.Slice(positions, graph.Ints(0), graph.Dimension(ids, 1), 0)); // [batch, tokens, width]
        }
        Value mask = CausalMask(graph, layers.Length(ids, 1));
        for (int i = 0; i < config.NumHiddenLayers; i++)
        {
            using IDisposable layer = graph.Scope($"encoder.layers.{i}");
            x = graph.Add(x, Attend(graph, layers, config, layers.LayerNorm(x, "layer_norm1", width, epsilon), mask));
            x = graph.Add(x, FeedForward(graph, layers, config, layers.LayerNorm(x, "layer_norm2", width, epsilon)));
        }
        x = layers.LayerNorm(x, "final_layer_norm", width, epsilon);
        return (x, graph.GatherND(x, EndOfText(graph, config, ids), batchDimensions: 1));
    }

    /// <summary>[tokens, tokens]: nothing where a token looks back or at itself, far below everything where it looks ahead.</summary>
    private static Value CausalMask(GraphBuilder graph, Value tokens)
    {
        Value places = graph.Range(tokens);
        Value ahead = graph.Greater(graph.Unsqueeze(places, 0), graph.Unsqueeze(places, 1));
        return graph.Where(ahead, graph.Float(ElementTypes.Lowest(graph.Floats)), graph.Float(0f));
    }

    /// <summary>The place [batch, 1] of the end of the text, whose state is the pooled one.</summary>
    private static Value EndOfText(GraphBuilder graph, ClipTextConfig config, Value ids)
    {
        // Configs with the legacy id 2 mean the largest id, which is the end of text; all others the first place of their own id.
        Value marks = config.EosTokenId == LegacyEndOfText ? ids : graph.Equal(ids, graph.Int(config.EosTokenId));
        return graph.ArgMax(graph.Cast(marks, ElementType.Float32), axis: 1);
    }

    private static Value Attend(GraphBuilder graph, Layers layers, ClipTextConfig config, Value x, Value mask)
    {
        using IDisposable scope = graph.Scope("self_attn");
        (int width, int heads) = (config.HiddenSize, config.NumAttentionHeads);
        int head = width / heads;
        Value q = layers.SplitHeads(layers.Linear(x, "q_proj", width, width), heads, head);
        Value k = layers.SplitHeads(layers.Linear(x, "k_proj", width, width), heads, head);
        Value v = layers.SplitHeads(layers.Linear(x, "v_proj", width, width), heads, head);
        Value attended = layers.Attention(q, k, v, 1f / MathF.Sqrt(head), mask);
        return layers.Linear(layers.MergeHeads(attended, heads, head), "out_proj", width, width);
    }

    private static Value FeedForward(GraphBuilder graph, Layers layers, ClipTextConfig config, Value x)
    {
        using IDisposable scope = graph.Scope("mlp");
        Value hidden = layers.Linear(x, "fc1", config.HiddenSize, config.IntermediateSize);
        hidden = config.HiddenAct switch
        {
            "quick_gelu" => graph.Mul(hidden, graph.Sigmoid(graph.Mul(hidden, graph.Float(1.702f)))),
            "gelu" => graph.Gelu(hidden, tanh: false),
            _ => throw new NotSupportedException($"CLIP config: hidden_act must be quick_gelu or gelu, but is {config.HiddenAct}."),
        };
        return layers.Linear(hidden, "fc2", config.IntermediateSize, config.HiddenSize);
    }
}
