using Dsd.Models.Autoencoder;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Export;

/// <summary>The blocks that the autoencoder's two halves share.</summary>
internal sealed class VaeBlocks(GraphBuilder graph, Layers layers, VaeConfig config)
{
    private const float Epsilon = 1e-6f;

    /// <summary>Two normalised convolutions beside a shortcut.</summary>
    public Value Resnet(Value x, string module, int inputs, int outputs)
    {
        using IDisposable scope = graph.Scope(module);
        Value shortcut = inputs == outputs ? x : layers.Conv(x, "conv_shortcut", inputs, outputs, kernel: 1);
        // The shortcut first where it is a tensor of its own: x, which may be twice as large, then goes as soon as it is normalised.
        Value h = layers.Conv(NormAndSilu(x, "norm1", inputs, inputs == outputs ? null : shortcut), "conv1", inputs, outputs, kernel: 3);
        h = layers.Conv(NormAndSilu(h, "norm2", outputs), "conv2", outputs, outputs, kernel: 3);
        return graph.Add(shortcut, h);
    }

    /// <summary>The middle of both halves: a residual block, attention over all places, a residual block.</summary>
    public Value Middle(Value x, int channels)
    {
        using IDisposable scope = graph.Scope("mid_block");
        x = Resnet(x, "resnets.0", channels, channels);
        x = config.MidBlockAddAttention ? Attend(x, "attentions.0", channels) : x;
        return Resnet(x, "resnets.1", channels, channels);
    }

    /// <summary>Group normalisation and SiLU.</summary>
    /// <param name="x">[batch, channels, height, width].</param>
    /// <param name="module">The normalisation.</param>
    /// <param name="channels">Its channels.</param>
    /// <param name="before">What is to be computed before.</param>
    public Value NormAndSilu(Value x, string module, int channels, Value? before = null) =>
        layers.Silu(layers.GroupNorm(x, module, config.NormNumGroups, channels, Epsilon, before));

    private Value Attend(Value x, string module, int channels)
    {
        using IDisposable scope = graph.Scope(module);
        Value places = graph.Reshape(layers.GroupNorm(x, "group_norm", config.NormNumGroups, channels, Epsilon), 0, channels, -1);
        places = graph.Transpose(places, 0, 2, 1); // [batch, height · width, channels]
        Value q = layers.SplitHeads(layers.Linear(places, "to_q", channels, channels), 1, channels);
        Value k = layers.SplitHeads(layers.Linear(places, "to_k", channels, channels), 1, channels);
        Value v = layers.SplitHeads(layers.Linear(places, "to_v", channels, channels), 1, channels);
        Value attended = layers.MergeHeads(layers.Attention(q, k, v, 1f / MathF.Sqrt(channels)), 1, channels);
        attended = layers.Linear(attended, "to_out.0", channels, channels);
        return graph.Add(x, graph.Reshape(graph.Transpose(attended, 0, 2, 1), graph.Shape(x)));
    }
}
