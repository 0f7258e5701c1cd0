using Dsd.Onnx.Export;

namespace Dsd.Onnx.Graph;

/// <summary>
/// The layers that the exported models share, as nodes of a graph. A layer's weights are found under the module's name within the
/// open scope, as the checkpoint calls them.
/// </summary>
/// <param name="graph">Takes the nodes.</param>
/// <param name="weights">The checkpoint.</param>
/// <param name="bits">How many bits the weights of linear layers have; null is as many as the graph's type.</param>
/// <param name="intProducts">With <paramref name="bits"/>: let kernels narrow what comes in to 8 bits and multiply whole numbers.</param>
/// <param name="adapterInputs">
/// Whether linear layers take an adapter's two factors as inputs, <c>adapter.LAYER.A</c> [inputs, rank] and <c>adapter.LAYER.B</c> [rank, outputs]. Each layer
/// then stands once in the graph, or its parts do.
/// </param>
public sealed class Layers(
    GraphBuilder graph, CheckpointWeights weights, int? bits = null, bool intProducts = false, bool adapterInputs = false)
{
    /// <summary>Inputs of a linear layer that share a scale where its weights have 4 or 8 bits.</summary>
    public const int Block = 32;

    // What comes into several layers is narrowed once.
    private readonly Dictionary<Value, (Value, Value, Value)> _stepped = [];

    // Parts of a layer share it.
    private readonly Dictionary<string, Value> _secondFactors = [];

    /// <summary>x·Wᵀ + b over the last dimension.</summary>
    /// <param name="x">[…, inputs].</param>
    /// <param name="module">The layer.</param>
    /// <param name="inputs">Channels that come in.</param>
    /// <param name="outputs">Channels that go out.</param>
    /// <param name="bias">Whether it has one.</param>
    /// <param name="scale">Multiplies what goes out, by multiplying weights and bias.</param>
    public Value Linear(Value x, string module, int inputs, int outputs, bool bias = true, float scale = 1)
    {
        Value product = Product(x, module, inputs, outputs, scale);
        using IDisposable scope = graph.Scope(module);
        return bias ? graph.Add(product, ScaledWeight("bias", scale, outputs)) : product;
    }

    /// <summary>x·Wᵀ over the last dimension: a linear layer less its bias.</summary>
    /// <inheritdoc cref="Linear"/>
    public Value Product(Value x, string module, int inputs, int outputs, float scale = 1) => Product(x, module, inputs, outputs, scale, 0, inputs);

    /// <summary>What some inputs of a linear layer add to its product.</summary>
    /// <param name="x">[…, count].</param>
    /// <param name="module">The layer.</param>
    /// <param name="inputs">Channels that come into the whole layer.</param>
    /// <param name="outputs">Channels that go out.</param>
    /// <param name="scale">Multiplies what goes out.</param>
    /// <param name="firstInput">The first of these inputs.</param>
    /// <param name="count">How many they are.</param>
    public Value Product(Value x, string module, int inputs, int outputs, float scale, int firstInput, int count)
    {
        Value product = Frozen(x, module, inputs, outputs, scale, firstInput, count);
        return adapterInputs ? Adapted(product, x, module, outputs, scale, firstInput, count) : product;
    }

    /// <summary>
    /// As <see cref="Linear"/>, for a layer that adapters may hold whole. Where there are inputs for adapters, its weight [inputs, outputs] and bias are inputs
    /// too, under the names that the checkpoint has, and stand in the model where they are not given.
    /// </summary>
    internal Value Replaceable(Value x, string module, int inputs, int outputs, float scale)
    {
        if (!adapterInputs)
        {
            return Linear(x, module, inputs, outputs, scale: scale);
        }
        string weight = $"{graph.Path(module)}.weight";
        Value own = Scaled(graph.Replaceable(weights.Linear(weight, inputs, outputs).Transposed(weight, graph.Floats)));
        Value bias = Scaled(graph.Replaceable(weights.Tensor($"{graph.Path(module)}.bias", graph.Floats, 1, outputs)));
        return graph.Add(Adapted(graph.MatMul(x, own), x, module, outputs, scale, 0, inputs), bias);

        // In the graph, not in the file: whoever replaces them need not know the scale.
        Value Scaled(Value value) => scale == 1 ? value : graph.Mul(value, graph.Float(scale));
    }

    private Value Adapted(Value product, Value x, string module, int outputs, float scale, int firstInput, int count)
    {
        string layer = graph.Path(module);
        using IDisposable scope = graph.Scope(module);
        Value a = graph.Input(new AdapterInput(layer, true, firstInput).Name, graph.Floats, $"{count}", $"{layer}.rank");
        if (!_secondFactors.TryGetValue(layer, out Value b))
        {
            b = graph.Input(new AdapterInput(layer, false, 0).Name, graph.Floats, $"{layer}.rank", $"{outputs}");
            _secondFactors.Add(layer, b);
        }
        Value low = graph.MatMul(x, a); // […, rank]
        return graph.Add(product, graph.MatMul(scale == 1 ? low : graph.Mul(low, graph.Float(scale)), b));
    }

    private Value Frozen(Value x, string module, int inputs, int outputs, float scale, int firstInput, int count)
    {
        string name = $"{graph.Path(module)}.weight";
        LinearWeight weight = weights.Linear(name, inputs, outputs);
        string constant = count == inputs ? name : $"{name}.{firstInput}";
        using IDisposable scope = graph.Scope(module);
        if (bits is not { } narrow)
        {
            return graph.MatMul(x, graph.Constant(weight.Transposed(constant, graph.Floats, scale, firstInput, count)));
        }
        if (narrow == 8 && intProducts)
        {
            (Initializer steps, Initializer stepScales) = weight.Stepped(constant, graph.Floats, scale, firstInput, count);
            (Value xs, Value xScale, Value xZero) = Stepped(x);
            Value whole = graph.Cast(graph.MatMulInteger(xs, graph.Constant(steps), xZero), graph.Floats);
            return graph.Mul(whole, graph.Mul(xScale, graph.Constant(stepScales)));
        }
        (Initializer packed, Initializer scales) = weight.Packed(constant, graph.Floats, narrow, Block, scale, firstInput, count);
        return graph.MatMulNBits(x, graph.Constant(packed), graph.Constant(scales), count, outputs, narrow, Block, intProducts);
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

    /// <summary>Division by the root of the mean square over the last dimension, then the weight.</summary>
    public Value RmsNorm(Value x, string module, int width, float epsilon)
    {
        using IDisposable scope = graph.Scope(module);
        return graph.RmsNormalization(x, Weight("weight", width), epsilon);
    }

    /// <summary>Group normalisation of [batch, channels, …].</summary>
    public Value GroupNorm(Value x, string module, int groups, int channels, float epsilon) => GroupNorm(x, module, groups, channels, epsilon, null);

    /// <summary>As the other, once another value of the same batch was computed: what that one needs can then go before x is normalised.</summary>
    internal Value GroupNorm(Value x, string module, int groups, int channels, float epsilon, Value? before)
    {
        using IDisposable scope = graph.Scope(module);
        // Means are taken along rows first, then over the rows: one long sum in single precision loses digits on large pictures.
        Value rows = graph.ReduceMean(x, -1); // [batch, channels, height, 1]
        // Nodes run in an order of the runtime's choice, but never before what they take: the batch is taken from the other value.
        Value inGroups = before is { } other
            ? graph.Reshape(x, graph.Concat(0, graph.Dimension(other, 0), graph.Ints(groups, -1)))
            : graph.Reshape(x, 0, groups, -1);
        Value centred = graph.Sub(inGroups, GroupMean(rows, groups));
        // The height comes from the rows' means: a shape that is taken from x would keep all of x in memory until it is needed.
        Value shape = graph.Concat(0, graph.Ints(0, channels), graph.Dimension(rows, 2), graph.Ints(-1));
        Value square = graph.Reshape(graph.Mul(centred, centred), shape);
        Value deviation = graph.Sqrt(graph.Add(GroupMean(graph.ReduceMean(square, -1), groups), graph.Float(epsilon)));
        Value normal = graph.Reshape(graph.Div(centred, deviation), shape);
        Value weight = graph.Reshape(Weight("weight", channels), channels, 1, 1);
        Value bias = graph.Reshape(Weight("bias", channels), channels, 1, 1);
        return graph.Add(graph.Mul(normal, weight), bias);
    }

    /// <summary>[batch, groups, 1] of the rows' means [batch, channels, height, 1].</summary>
    private Value GroupMean(Value rows, int groups) => graph.ReduceMean(graph.Reshape(rows, 0, groups, -1), -1);

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
    public Value Weight(string local, params long[] shape) => ScaledWeight(local, 1, shape);

    /// <summary>A tensor of the checkpoint times a number, named in the open scope.</summary>
    public Value ScaledWeight(string local, float scale, params long[] shape) =>
        graph.Constant(weights.Tensor(graph.Path(local), graph.Floats, scale, shape));

    /// <summary>One dimension of a value as a scalar.</summary>
    public Value Length(Value x, int axis) => graph.Squeeze(graph.Dimension(x, axis), 0);

    private (Value Steps, Value Scale, Value Zero) Stepped(Value x)
    {
        if (!_stepped.TryGetValue(x, out (Value, Value, Value) known))
        {
            known = graph.DynamicQuantizeLinear(x);
            _stepped.Add(x, known);
        }
        return known;
    }
}
