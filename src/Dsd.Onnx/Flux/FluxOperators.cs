using Dsd.Models.Flux;
using Dsd.Onnx.Export;
using Dsd.Onnx.Graph;

namespace Dsd.Onnx.Flux;

/// <summary>The operations within FLUX's blocks that runtimes have different operators for. All tokens are [batch, tokens, width].</summary>
internal abstract class FluxOperators
{
    /// <summary>Added to variances and mean squares.</summary>
    protected const float Epsilon = 1e-6f;

    /// <summary>The operations for a target.</summary>
    public static FluxOperators Of(FluxConfig config, GraphBuilder graph, CheckpointWeights weights, GraphFormat format) => format.Target switch
    {
        GraphTarget.Cuda => new CudaFlux(config, graph, weights, format),
        _ => new PortableFlux(config, graph, weights, format),
    };

    /// <summary>What the streams of tokens are multiplied by within the graph: less than 1 keeps them within half precision's range. Norms undo it.</summary>
    public abstract float StreamScale { get; }

    /// <summary>The input that a modulation layer's parts come in by.</summary>
    public abstract Value ModulationInput(FluxModulationInputs.Entry entry);

    /// <summary>Its shifts, scales (plus 1) and gates.</summary>
    public abstract Value[] Parts(Value modulation, int parts);

    /// <summary>A stream whose tokens are known.</summary>
    public static FluxStream Stream(Value tokens) => new(tokens, null, null);

    /// <summary>Adds a gated layer's output to a stream.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="gate">The gate.</param>
    /// <param name="product">The layer's product, without its bias and times <see cref="StreamScale"/>.</param>
    /// <param name="bias">The bias, times <see cref="StreamScale"/>.</param>
    public abstract FluxStream Add(FluxStream stream, Value gate, Value product, Value bias);

    /// <summary>The stream's tokens.</summary>
    public abstract Value Tokens(FluxStream stream);

    /// <summary>Normalises a stream, scales and shifts it. The stream that comes back is the same, and cheaper to go on with.</summary>
    public abstract (Value Normal, FluxStream Stream) Norm(FluxStream stream, Value scale, Value shift);

    /// <summary>Queries or keys: a projection, normalised a head.</summary>
    public abstract Value Head(Value x, string projection, string norm);

    /// <summary>Values: a projection. Where another bias is named, this one's is that much less: <see cref="OutputBias"/> adds it.</summary>
    public abstract Value Values(Value x, string projection, string biasElsewhere);

    /// <summary>The bias of a layer after attention, times <see cref="StreamScale"/>.</summary>
    /// <param name="module">The layer.</param>
    /// <param name="inputs">Its inputs, of which attention's result are the first.</param>
    /// <param name="values">The projection whose bias was left for here.</param>
    public abstract Value OutputBias(string module, int inputs, string values);

    /// <summary>Attention of rotated queries and keys.</summary>
    public abstract Value Attention(Value q, Value k, Value v);

    /// <summary>The MLP's first layer and its GELU.</summary>
    public abstract Value Hidden(Value x, string module, int outputs);
}

/// <summary>A stream of tokens, to which something may still have to be added.</summary>
/// <param name="Tokens">[batch, tokens, width].</param>
/// <param name="Addition">As they, to be added; null is nothing.</param>
/// <param name="Bias">[width], to be added; null is nothing.</param>
internal readonly record struct FluxStream(Value Tokens, Value? Addition, Value? Bias);
