using Dsd.Models.Flux;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Flux;

/// <summary>FLUX's blocks in operators of the standard, for any batch.</summary>
internal sealed class PortableFlux(FluxConfig config, GraphBuilder graph, CheckpointWeights weights, GraphFormat format) : FluxOperators
{
    private readonly Layers _layers = new(graph, weights, format.Bits, format.IntProducts, format.AdapterInputs);

    /// <inheritdoc/>
    public override float StreamScale => graph.Floats == ElementType.Float16 ? 1f / 16 : 1;

    /// <inheritdoc/>
    public override Value ModulationInput(FluxModulationInputs.Entry entry) =>
        graph.Input(entry.Input, graph.Floats, "batch", $"{entry.Parts * config.Width}");

    /// <inheritdoc/>
    public override Value[] Parts(Value modulation, int parts) => graph.Split(graph.Unsqueeze(modulation, 1), axis: -1, parts); // each [batch, 1, width]

    /// <inheritdoc/>
    public override FluxStream Add(FluxStream stream, Value gate, Value product, Value bias) =>
        Stream(graph.Add(stream.Tokens, graph.Mul(gate, graph.Add(product, bias))));

    /// <inheritdoc/>
    public override Value Tokens(FluxStream stream) => stream.Tokens;

    /// <inheritdoc/>
    public override (Value Normal, FluxStream Stream) Norm(FluxStream stream, Value scale, Value shift)
    {
        Value normal = graph.LayerNormalization(stream.Tokens, graph.Filled(1f, config.Width), null, Epsilon * StreamScale * StreamScale);
        return (graph.Add(graph.Mul(normal, scale), shift), stream);
    }

    /// <inheritdoc/>
    public override Value Head(Value x, string projection, string norm)
    {
        Value heads = graph.Reshape(_layers.Linear(x, projection, config.Width, config.Width), 0, 0, config.NumAttentionHeads, config.AttentionHeadDim);
        return graph.Reshape(_layers.RmsNorm(heads, norm, config.AttentionHeadDim, Epsilon), 0, 0, config.Width);
    }

    /// <inheritdoc/>
    public override Value Values(Value x, string projection, string biasElsewhere) => _layers.Linear(x, projection, config.Width, config.Width);

    /// <inheritdoc/>
    public override Value OutputBias(string module, int inputs, string values)
    {
        using IDisposable scope = graph.Scope(module);
        return _layers.ScaledWeight("bias", StreamScale, config.Width);
    }

    /// <inheritdoc/>
    public override Value Attention(Value q, Value k, Value v) =>
        graph.Attention(q, k, v, config.NumAttentionHeads, 1f / MathF.Sqrt(config.AttentionHeadDim));

    /// <inheritdoc/>
    public override Value Hidden(Value x, string module, int outputs) => graph.Gelu(_layers.Linear(x, module, config.Width, outputs), tanh: true);
}
