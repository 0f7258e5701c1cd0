using Dsd.Models.Text;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Export;

/// <summary>T5's encoder: <c>input_ids</c> [batch, tokens] → <c>last_hidden_state</c>, of any batch and length.</summary>
public static class T5EncoderExport
{
    private const string BiasWeight = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";

    /// <summary>Whether the graph ought to use a tensor: some files hold the shared embedding twice, or a decoder too.</summary>
    public static bool Belongs(string name) =>
        !name.EndsWith("embed_tokens.weight", StringComparison.Ordinal)
        && !name.StartsWith("decoder.", StringComparison.Ordinal)
        && !name.StartsWith("lm_head.", StringComparison.Ordinal);

    /// <summary>The graph, from a checkpoint in transformers' layout.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="weights">The checkpoint.</param>
    /// <param name="format">How it is written; null is single precision. T5's states leave half precision's range.</param>
    public static GraphBuilder Build(T5Config config, CheckpointWeights weights, GraphFormat? format = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        format ??= GraphFormat.Plain;
        GraphBuilder graph = new("text_encoder_2", format.Floats);
        Layers layers = new(graph, weights, format.Bits, format.IntProducts);
        (int width, float epsilon) = (config.DModel, (float)config.LayerNormEpsilon);

        Value ids = graph.Input("input_ids", ElementType.Int64, "batch", "tokens");
        string table = weights.Has("encoder.embed_tokens.weight") && !weights.Has("shared.weight") ? "encoder.embed_tokens.weight" : "shared.weight";
        Value x = graph.Gather(layers.Weight(table, config.VocabSize, width), ids); // [batch, tokens, width]
        Value bias = PositionBias(graph, config, weights, layers.Length(ids, 1));
        for (int i = 0; i < config.NumLayers; i++)
        {
            using IDisposable block = graph.Scope($"encoder.block.{i}");
            x = graph.Add(x, Attend(graph, layers, config, layers.RmsNorm(x, "layer.0.layer_norm", width, epsilon), bias));
            x = graph.Add(x, FeedForward(graph, layers, config, layers.RmsNorm(x, "layer.1.layer_norm", width, epsilon)));
        }
        x = layers.RmsNorm(x, "encoder.final_layer_norm", width, epsilon);
        graph.Output("last_hidden_state", x, "batch", "tokens", $"{width}");
        return graph;
    }

    /// <summary>
    /// The bucket of a distance from query to key: exact up to a quarter of the buckets, then logarithmic up to the config's largest
    /// distance, with keys to the right in the upper half.
    /// </summary>
    internal static int Bucket(int distance, int buckets, int mostDistance)
    {
        int half = buckets / 2;
        int exact = half / 2;
        int away = Math.Abs(distance);
        int bucket = away;
        if (away >= exact)
        {
            float logarithm = MathF.Log((float)away / exact) / (float)Math.Log((double)mostDistance / exact);
            bucket = Math.Min(exact + (int)(logarithm * (half - exact)), half - 1);
        }
        return distance > 0 ? half + bucket : bucket;
    }

    /// <summary>[heads, tokens, tokens]: what every head adds for the distance between two tokens.</summary>
    private static Value PositionBias(GraphBuilder graph, T5Config config, CheckpointWeights weights, Value tokens)
    {
        // One row for each distance from −most to most: distances beyond fall into the buckets of these.
        (int most, int heads) = (config.RelativeAttentionMaxDistance, config.NumHeads);
        float[] learnt = weights.Values(BiasWeight, config.RelativeAttentionNumBuckets, heads);
        float[] rows = new float[(2 * most + 1) * heads];
        for (int distance = -most; distance <= most; distance++)
        {
            int bucket = Bucket(distance, config.RelativeAttentionNumBuckets, most);
            learnt.AsSpan(bucket * heads, heads).CopyTo(rows.AsSpan((distance + most) * heads));
        }
        Value places = graph.Range(tokens);
        Value distances = graph.Sub(graph.Unsqueeze(places, 0), graph.Unsqueeze(places, 1)); // key − query
        Value row = graph.Add(graph.Clip(distances, graph.Int(-most), graph.Int(most)), graph.Int(most));
        Value bias = graph.Gather(graph.Table("relative_attention_bias", rows, 2 * most + 1, heads), row); // [tokens, tokens, heads]
        return graph.Transpose(bias, 2, 0, 1);
    }

    private static Value Attend(GraphBuilder graph, Layers layers, T5Config config, Value x, Value bias)
    {
        using IDisposable scope = graph.Scope("layer.0.SelfAttention");
        (int width, int heads, int head) = (config.DModel, config.NumHeads, config.DKv);
        Value q = layers.SplitHeads(layers.Linear(x, "q", width, heads * head, bias: false), heads, head);
        Value k = layers.SplitHeads(layers.Linear(x, "k", width, heads * head, bias: false), heads, head);
        Value v = layers.SplitHeads(layers.Linear(x, "v", width, heads * head, bias: false), heads, head);
        Value attended = layers.Attention(q, k, v, scale: 1f, bias); // T5 does not scale by the head's width
        return layers.Linear(layers.MergeHeads(attended, heads, head), "o", heads * head, width, bias: false);
    }

    private static Value FeedForward(GraphBuilder graph, Layers layers, T5Config config, Value x)
    {
        using IDisposable scope = graph.Scope("layer.1.DenseReluDense");
        Value hidden = config.FeedForwardProj switch
        {
            "gated-gelu" => graph.Mul(
                graph.Gelu(layers.Linear(x, "wi_0", config.DModel, config.DFf, bias: false), tanh: true),
                layers.Linear(x, "wi_1", config.DModel, config.DFf, bias: false)),
            "relu" => graph.Relu(layers.Linear(x, "wi", config.DModel, config.DFf, bias: false)),
            _ => throw new NotSupportedException($"T5 config: feed_forward_proj must be gated-gelu or relu, but is {config.FeedForwardProj}."),
        };
        return layers.Linear(hidden, "wo", config.DFf, config.DModel, bias: false);
    }
}
