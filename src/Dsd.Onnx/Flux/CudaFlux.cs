using System.Numerics.Tensors;
using Dsd.Models.Flux;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Flux;

/// <summary>
/// FLUX's blocks in the operators that ONNX Runtime's CUDA provider runs fastest, for one row: see docs/decisions/onnx-graphs.md. No product has a bias of
/// its own, since a bias costs half a product there; each goes into the operator that comes next.
/// </summary>
internal sealed class CudaFlux(FluxConfig config, GraphBuilder graph, CheckpointWeights weights, GraphFormat format) : FluxOperators
{
    private readonly Layers _layers = new(graph, weights, format.Bits, format.IntProducts, format.AdapterInputs);

    private int Width => config.Width;

    /// <inheritdoc/>
    public override float StreamScale => graph.Floats == ElementType.Float16 ? 1f / 16 : 1;

    /// <inheritdoc/>
    public override Value ModulationInput(FluxModulationInputs.Entry entry) => graph.Input(entry.Input, graph.Floats, $"{entry.Parts * Width}");

    /// <inheritdoc/>
    public override Value[] Parts(Value modulation, int parts) => graph.Split(modulation, axis: 0, parts); // each [width]

    /// <inheritdoc/>
    public override FluxStream Add(FluxStream stream, Value gate, Value product, Value bias) =>
        new(Tokens(stream), graph.Mul(gate, product), graph.Mul(gate, bias));

    /// <inheritdoc/>
    public override Value Tokens(FluxStream stream) => stream is { Addition: { } addition, Bias: { } bias }
        ? graph.Add(graph.Add(stream.Tokens, addition), bias)
        : stream.Tokens;

    /// <inheritdoc/>
    public override (Value Normal, FluxStream Stream) Norm(FluxStream stream, Value scale, Value shift)
    {
        float epsilon = Epsilon * StreamScale * StreamScale;
        if (stream is { Addition: { } addition, Bias: { } bias })
        {
            (Value normal, Value sum) = graph.SkipLayerNormalization(addition, stream.Tokens, scale, shift, bias, epsilon);
            return (normal, Stream(sum));
        }
        return (graph.LayerNormalization(stream.Tokens, scale, shift, epsilon), stream);
    }

    /// <inheritdoc/>
    public override Value Head(Value x, string projection, string norm)
    {
        (int heads, int head) = (config.NumAttentionHeads, config.AttentionHeadDim);
        Value rows = graph.Reshape(_layers.Product(x, projection, Width, Width), -1, heads, head); // [tokens, heads, head]
        Value bias, weight;
        using (graph.Scope(projection))
        {
            bias = _layers.Weight("bias", Width);
            bias = graph.Reshape(bias, 1, heads, head);
        }
        using (graph.Scope(norm))
        {
            weight = _layers.Weight("weight", head);
        }
        return graph.Reshape(graph.SkipSimplifiedLayerNormalization(rows, bias, weight, Epsilon), 1, -1, Width);
    }

    /// <inheritdoc/>
    public override Value Values(Value x, string projection, string biasElsewhere)
    {
        if (format.AdapterInputs)
        {
            return _layers.Linear(x, projection, Width, Width);
        }
        Value product = _layers.Product(x, projection, Width, Width);
        if (projection == biasElsewhere)
        {
            return product;
        }
        float[] bias = weights.Values($"{graph.Path(projection)}.bias", Width);
        TensorPrimitives.Subtract(bias, weights.Values($"{graph.Path(biasElsewhere)}.bias", Width), bias);
        using IDisposable scope = graph.Scope(projection);
        return graph.Add(product, graph.Table("bias", bias, Width));
    }

    /// <inheritdoc/>
    public override Value OutputBias(string module, int inputs, string values)
    {
        if (format.AdapterInputs)
        {
            // An adapter over this layer must see the values' bias, so that it is added where it belongs.
            using IDisposable scope = graph.Scope(module);
            return _layers.ScaledWeight("bias", StreamScale, Width);
        }
        // Each row of attention's shares sums to 1, so that a bias of all values comes out as it is, and the next layer multiplies it.
        string path = graph.Path(module);
        LinearWeight weight = weights.Linear($"{path}.weight", inputs, Width);
        return graph.Constant(weights.Folded($"{path}.bias", weight, Width, $"{graph.Path(values)}.bias", Width, graph.Floats, StreamScale));
    }

    /// <inheritdoc/>
    public override Value Attention(Value q, Value k, Value v) =>
        graph.MultiHeadAttention(q, k, v, config.NumAttentionHeads, 1f / MathF.Sqrt(config.AttentionHeadDim));

    /// <inheritdoc/>
    public override Value Hidden(Value x, string module, int outputs)
    {
        Value product = _layers.Product(x, module, Width, outputs);
        using IDisposable scope = graph.Scope(module);
        return graph.FastGelu(product, _layers.Weight("bias", outputs));
    }
}
