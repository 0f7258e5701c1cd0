using Dsd.Onnx.Export;

namespace Dsd.Onnx.Graph;

/// <summary>
/// The layers that the exported models share, as nodes of a graph. A layer's weights are found under the module's name within the
/// open scope, as the checkpoint calls them.
/// </summary>
public sealed class Layers(GraphBuilder graph, CheckpointWeights weights)
{
    /// <summary>x·Wᵀ + b over the last dimension.</summary>
    public Value Linear(Value x, string module, int inputs, int outputs, bool bias = true)
    {
        string path = graph.Path(module);
        using IDisposable scope = graph.Scope(module);
        Value product = graph.MatMul(x, graph.Constant(weights.Transposed($"{path}.weight", inputs, outputs)));
        return bias ? graph.Add(product, Weight("bias", outputs)) : product;
    }

    /// <summary>A convolution with bias; <paramref name="pads"/> are top, left, bottom, right.</summary>
    public Value Conv(Value x, string module, int inputs, int outputs, int kernel, int stride = 1, long[]? pads = null)
    {
        using IDisposable scope = graph.Scope(module);
        long same = kernel / 2;
        return graph.Conv(x, Weight("weight", outputs, inputs, kernel, kernel), Weight("bias", outputs), kernel, stride, pads ?? [same, same, same, same]);
    }

    /// <summary>Layer normalisation with weight and bias.</summary>
    public Value LayerNorm(Value x, string module, int width, float epsilon)
    {
        using IDisposable scope = graph.Scope(module);
        return graph.LayerNormalization(x, Weight("weight", width), Weight("bias", width), epsilon);
    }

    /// <summary>Layer normalisation without weights, then <c>· (1 + scale) + shift</c>.</summary>
    public Value ModulatedNorm(Value x, Value scale, Value shift, int width, float epsilon)
    {
        Value normal = graph.LayerNormalization(x, graph.Filled(1f, width), null, epsilon);
        return graph.Add(graph.Mul(normal, graph.Add(scale, graph.Float(1f))), shift);
    }

    /// <summary>Division by the root of the mean square over the last dimension, then the weight.</summary>
    public Value RmsNorm(Value x, string module, int width, float epsilon)
    {
        using IDisposable scope = graph.Scope(module);
        // ONNX Runtime recognises these nodes and runs them as one.
        Value square = graph.ReduceMean(graph.Pow(x, graph.Float(2f)), -1);
        Value root = graph.Sqrt(graph.Add(square, graph.Float(epsilon)));
        return graph.Mul(graph.Div(x, root), Weight("weight", width));
    }

    /// <summary>Group normalisation of [batch, channels, …].</summary>
    public Value GroupNorm(Value x, string module, int groups, int channels, float epsilon)
    {
        using IDisposable scope = graph.Scope(module);
        // Means are taken along rows first, then over the rows: one long sum in single precision loses digits on large pictures.
        Value shape = graph.Shape(x);
        Value centred = graph.Sub(graph.Reshape(x, 0, groups, -1), GroupMean(x, groups));
        Value square = graph.Reshape(graph.Mul(centred, centred), shape);
        Value deviation = graph.Sqrt(graph.Add(GroupMean(square, groups), graph.Float(epsilon)));
        Value normal = graph.Reshape(graph.Div(centred, deviation), shape);
        Value weight = graph.Reshape(Weight("weight", channels), channels, 1, 1);
        Value bias = graph.Reshape(Weight("bias", channels), channels, 1, 1);
        return graph.Add(graph.Mul(normal, weight), bias);
    }

    /// <summary>[batch, groups, 1] of [batch, channels, height, width].</summary>
    private Value GroupMean(Value x, int groups) => graph.ReduceMean(graph.Reshape(graph.ReduceMean(x, -1), 0, groups, -1), -1);

    /// <summary>x · sigmoid(x).</summary>
    public Value Silu(Value x) => graph.Mul(x, graph.Sigmoid(x));

    /// <summary>[batch, tokens, heads · head] as [batch, heads, tokens, head].</summary>
    public Value SplitHeads(Value x, int heads, int head) => graph.Transpose(graph.Reshape(x, 0, 0, heads, head), 0, 2, 1, 3);

    /// <summary>[batch, heads, tokens, head] as [batch, tokens, heads · head].</summary>
    public Value MergeHeads(Value x, int heads, int head) => graph.Reshape(graph.Transpose(x, 0, 2, 1, 3), 0, 0, heads * head);

    /// <summary>softmax(scale · q·kᵀ + bias)·v, all [batch, heads, tokens, head].</summary>
    public Value Attention(Value q, Value k, Value v, float scale, Value? bias = null)
    {
        Value scaled = scale == 1f ? q : graph.Mul(q, graph.Float(scale));
        Value scores = graph.MatMul(scaled, graph.Transpose(k, 0, 1, 3, 2)); // [batch, heads, tokens, tokens]
        Value shares = graph.Softmax(bias is { } b ? graph.Add(scores, b) : scores, -1);
        return graph.MatMul(shares, v);
    }

    /// <summary>A tensor of the checkpoint, named in the open scope.</summary>
    public Value Weight(string local, params long[] shape) => graph.Constant(weights.Tensor(graph.Path(local), shape));

    /// <summary>One dimension of a value as a scalar.</summary>
    public Value Length(Value x, int axis) => graph.Squeeze(graph.Dimension(x, axis), 0);
}
