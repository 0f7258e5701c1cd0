using Dsd.Models.Acceleration;
using Dsd.Models.Lora;
using Dsd.Models.Native;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Layers;

/// <summary>
/// A linear layer that low-rank adapters may be laid over: <c>y = W·x + b + Σ scale · B·(A·x)</c>.
/// Its keys are those of a plain linear layer, with adapters or without.
/// </summary>
internal sealed class AdaptableLinear : Module<Tensor, Tensor>
{
    private Parameter weight;
    private readonly Parameter bias;
    private List<LoraPair> _adapters = [];
    private Tensor? _factors;

    public AdaptableLinear(long inputs, long outputs, Device? device = null, ScalarType dtype = ScalarType.Float32)
        : this(empty(outputs, inputs, dtype: dtype, device: device), empty(outputs, dtype: dtype, device: device))
    {
    }

    private AdaptableLinear(Tensor weights, Tensor biases)
        : base(nameof(AdaptableLinear))
    {
        weight = Parameter(weights);
        bias = Parameter(biases);
        // A network built inside a dispose scope outlives it.
        weight.DetachFromDisposeScope();
        bias.DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>[outputs, inputs].</summary>
    public Parameter Weight => weight;

    /// <summary>[outputs].</summary>
    public Parameter Bias => bias;

    /// <summary>The adapters over this layer. They belong to their <see cref="LoraAttachment"/>, not to the layer.</summary>
    public IList<LoraPair> Adapters => _adapters;

    /// <summary>Weights used in place of the layer's own while an adapter is attached that holds them whole.</summary>
    public WholeLinear? Replacement { get; set; }

    /// <summary>Whether the weights lie on the host, to be brought to where the layer's input is each time: for layers that are seldom needed.</summary>
    public bool IsOnHost { get; init; }

    /// <summary>Lets layers take over what lies over others, for as long as they stand for them.</summary>
    public static void StandFor(AdaptableLinear[][] layers, AdaptableLinear[][] others)
    {
        foreach ((AdaptableLinear layer, AdaptableLinear other) in layers.SelectMany(l => l).Zip(others.SelectMany(l => l)))
        {
            (layer._adapters, layer.Replacement) = (other._adapters, other.Replacement);
        }
    }

    /// <summary>Layers of one shape whose weights lie end to end, so that <see cref="Together"/> can be one product.</summary>
    public static AdaptableLinear[] Row(int count, long inputs, long outputs, Device? device, ScalarType dtype)
    {
        using Tensor weights = empty(count * outputs, inputs, dtype: dtype, device: device);
        using Tensor biases = empty(count * outputs, dtype: dtype, device: device);
        return [.. Enumerable.Range(0, count).Select(i => new AdaptableLinear(weights.narrow(0, i * outputs, outputs), biases.narrow(0, i * outputs, outputs)))];
    }

    /// <summary>Whether the layer's weights are in eight bits and nothing lies over them, so that it needs its input in eight bits only.</summary>
    public bool TakesFloat8 => IsFloat8 && _adapters.Count == 0;

    /// <summary>
    /// Rounds the weights of layers, which lie end to end if there are several, to eight bits with a factor for each output, on a GPU. What they were in is freed. There is no way
    /// back, and no gradient.
    /// </summary>
    public static void ToFloat8(Device device, params AdaptableLinear[] layers)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Float8Rows rows = BlockKernels.ToFloat8(cat([.. layers.Select(l => l.weight.to(device))], dim: 0));
        long start = 0;
        foreach (AdaptableLinear layer in layers)
        {
            long outputs = layer.weight.shape[0];
            Parameter own = Parameter(rows.Values.narrow(0, start, outputs), requires_grad: false);
            own.DetachFromDisposeScope();
            layer.weight.Dispose();
            layer.weight = own;
            layer.ConditionallyRegisterParameter(nameof(weight), own);
            layer._factors = rows.Factors.narrow(0, start, outputs).DetachFromDisposeScope();
            start += outputs;
        }
    }

    /// <summary>
    /// What each layer gives for x [batch, tokens, inputs]: by one matrix product where the weights lie end to end and nothing learns. A larger product
    /// uses a GPU better. The results then are parts of one tensor.
    /// </summary>
    public static Tensor[] Together(Activation x, params AdaptableLinear[] layers)
    {
        if (!Fused || is_grad_enabled() || !layers.All(l => l.Replacement is null && l.FollowsOn(layers[0], layers)))
        {
            return [.. layers.Select(l => l.forward(x))];
        }
        long[] outputs = [.. layers.Select(l => l.weight.shape[0])];
        Layer all = new(
            Joined(layers[0].weight, outputs.Sum()), Joined(layers[0].bias, outputs.Sum()), layers[0]._factors is { } factors ? Joined(factors, outputs.Sum()) : null);
        Tensor y;
        if (all.Factors is not null || MatrixProduct.Suits(x.Wide.flatten(0, -2), all.Weight))
        {
            y = Product(x, all, gelu: false, to: null, layers);
        }
        else if (layers.All(l => l._adapters.Count == 0))
        {
            y = functional.linear(x.Wide.flatten(0, -2), all.Weight, all.Bias);
        }
        else
        {
            return [.. layers.Select(l => l.forward(x))];
        }
        return y.view([.. x.Shape[..^1], y.shape[1]]).split(outputs, -1); // [batch, tokens, outputs] each

        static Tensor Joined(Tensor first, long outputs) => first.dim() == 1
            ? first.as_strided([outputs], [1], first.storage_offset())
            : first.as_strided([outputs, first.shape[1]], [first.shape[1], 1], first.storage_offset());
    }

    /// <summary>False gives each layer a product of its own: for comparisons.</summary>
    public static bool Fused { get; set; } = true;

    /// <summary>Whether the layer's own weights are in eight bits.</summary>
    public bool HoldsFloat8 => _factors is not null;

    private bool IsFloat8 => HoldsFloat8 && Replacement is null;

    // Whatever moves a layer's weights elsewhere, to another device or type, parts them: each then starts a storage of its own.
    private bool FollowsOn(AdaptableLinear first, AdaptableLinear[] layers)
    {
        long before = layers.TakeWhile(l => l != this).Sum(l => l.weight.shape[0]);
        return (first._factors is null) == (_factors is null) && Follows(first.weight, weight, before * first.weight.shape[1]) && Follows(first.bias, bias, before);

        static bool Follows(Tensor start, Tensor tensor, long numbers) => tensor.is_contiguous()
            && tensor.storage_offset() == start.storage_offset() + numbers
            && TensorMemory.Address(tensor) == TensorMemory.Address(start) + (numbers * start.element_size());
    }

    public override Tensor forward(Tensor x) => forward(new Activation(x));

    /// <summary>The layer over what may be in eight bits.</summary>
    public Tensor forward(Activation x) => x.Beside is { } second && !IsFloat8 ? Forward(x.Wide, second) : Forward(x, gelu: false);

    /// <summary>GELU, in its tanh form, of what <see cref="forward(Tensor)"/> gives.</summary>
    public Tensor Gelu(Activation x) => Forward(x, gelu: true);

    // What forward gives for both inputs [batch, tokens, …] side by side, without a copy of them that lies there.
    private Tensor Forward(Tensor first, Tensor second)
    {
        Layer own = Own(first.dtype, first.device);
        Tensor[] parts = own.Weight.split([first.shape[^1], second.shape[^1]], 1);
        (Tensor rows, Tensor others) = (Rows(first), Rows(second));
        Tensor y = functional.linear(rows, parts[0], own.Bias);
        y = rows.dim() == 2 ? y.addmm_(others, parts[1].t(), 1, 1) : y + functional.linear(others, parts[1]);
        foreach (LoraPair pair in _adapters)
        {
            y = pair.AddTo(y, pair.Down(rows, others));
        }
        return y.view([.. first.shape[..^1], y.shape[^1]]);
    }

    /// <summary>
    /// GELU of this layer's result as the last channels of a tensor [rows, first + outputs], whose first channels are left for the caller to fill; null where that cannot be
    /// had without a copy.
    /// </summary>
    public Tensor? GeluAfter(long first, Activation x)
    {
        Layer own = Own(bias.dtype, bias.device);
        if (own.Factors is null && !MatrixProduct.Suits(Rows(x.Wide), own.Weight))
        {
            return null;
        }
        Tensor all = empty(x.Shape[..^1].Aggregate(1L, (a, b) => a * b), first + own.Bias.shape[0], dtype: bias.dtype, device: bias.device);
        Product(x, own, gelu: true, all.narrow(1, first, own.Bias.shape[0]), this);
        return all;
    }

    /// <summary><c>y + gate · layer(x)</c> in one product, which holds the gate already: for weights in eight bits, one picture at a time.</summary>
    /// <param name="y">[1, tokens, outputs].</param>
    /// <param name="gated">What <see cref="Gated"/> gave for one step.</param>
    /// <param name="x">[1, tokens, inputs].</param>
    public Tensor AddTo(Tensor y, GatedProduct gated, Activation x)
    {
        Float8Rows rows = x.Narrow;
        Tensor sum = y.contiguous().flatten(0, -2);
        return MatrixProduct.Linear8(rows, new Float8Rows(weight, gated.Factors), gated.Bias, add: sum).view(y.shape);
    }

    /// <summary>The layer's factors and bias times gates [steps, outputs], for <see cref="AddTo"/>: [steps, outputs] each.</summary>
    public (Tensor Factors, Tensor Bias) Gated(Tensor gates) => (gates.to(ScalarType.Float32) * _factors!, gates * bias);

    private Tensor Forward(Activation x, bool gelu)
    {
        Layer own = IsFloat8 ? Own(bias.dtype, bias.device) : Own(x.Wide.dtype, x.Wide.device);
        if (own.Factors is not null || MatrixProduct.Suits(Rows(x.Wide), own.Weight))
        {
            return Product(x, own, gelu, to: null, this).view([.. x.Shape[..^1], own.Weight.shape[0]]);
        }
        Tensor rows = Rows(x.Wide);
        Tensor y = functional.linear(rows, own.Weight, own.Bias);
        foreach (LoraPair pair in _adapters)
        {
            y = pair.AddTo(y, pair.Down(rows));
        }
        y = y.view([.. x.Shape[..^1], y.shape[^1]]);
        return gelu ? functional.gelu(y, TorchSharp.Modules.GELU.Approximate.tanh) : y;
    }

    // Adapters come first, and the product with the layers' own weights is added to theirs: then GELU can be part of it.
    private static Tensor Product(Activation x, Layer weights, bool gelu, Tensor? to, params ReadOnlySpan<AdaptableLinear> layers)
    {
        Tensor? sum = AdaptersOf(x, weights, to, layers);
        return weights.Factors is { } factors
            ? MatrixProduct.Linear8(x.Narrow, new Float8Rows(weights.Weight, factors), weights.Bias, gelu, to ?? sum, sum)
            : MatrixProduct.Linear(x.Wide.flatten(0, -2), weights.Weight, weights.Bias, gelu, to ?? sum, sum);
    }

    // What the adapters give, [rows, outputs of all layers]; null for none.
    private static Tensor? AdaptersOf(Activation x, Layer weights, Tensor? to, ReadOnlySpan<AdaptableLinear> layers)
    {
        bool any = false;
        foreach (AdaptableLinear layer in layers)
        {
            any |= layer._adapters.Count > 0;
        }
        if (!any)
        {
            return null;
        }
        Tensor rows = x.Wide.flatten(0, -2);
        Tensor sum = to ?? empty(rows.shape[0], weights.Bias.shape[0], dtype: rows.dtype, device: rows.device);
        long start = 0;
        foreach (AdaptableLinear layer in layers)
        {
            Tensor part = sum.narrow(1, start, layer.bias.shape[0]);
            start += layer.bias.shape[0];
            if (layer._adapters.Count == 0)
            {
                part.zero_();
            }
            for (int i = 0; i < layer._adapters.Count; i++)
            {
                LoraPair pair = layer._adapters[i];
                MatrixProduct.Linear(pair.Down(rows) * pair.Scale, pair.B.to(rows.dtype), bias: null, to: part, add: i > 0 ? part : null);
            }
        }
        return sum;
    }

    // [batch · tokens, inputs], or [adapters, batch / adapters · tokens, inputs] for stacked factors: as the sum with an adapter's product needs it.
    private Tensor Rows(Tensor x) => _adapters.Count == 1 && _adapters[0].IsStacked
        ? x.reshape(_adapters[0].A.shape[0], -1, x.shape[^1])
        : x.flatten(0, -2);

    // Adapters may be kept in float32 over a network in bfloat16: they are rounded for the product, and learn in full.
    private Layer Own(ScalarType type, Device device) =>
        Replacement is { } whole ? new Layer(whole.Weight.to(type), whole.Bias.to(type), null)
        : IsOnHost ? new Layer(weight.to(device), bias.to(device), null)
        : new Layer(weight, bias, _factors);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _factors?.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>Random weights with variance 2 / (inputs + outputs); the bias is zero.</summary>
    public void Initialize(Generator generator)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        weight.copy_(randn(weight.shape, generator: generator) * Math.Sqrt(2.0 / (weight.shape[0] + weight.shape[1])));
        bias.zero_();
    }

    /// <summary>Weights and bias zero: the layer gives nothing at first, and learns from there.</summary>
    public void InitializeZero()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        weight.zero_();
        bias.zero_();
    }
}

/// <summary>A layer's weights [outputs, inputs], bias [outputs], and for weights in eight bits their factors [outputs].</summary>
internal readonly record struct Layer(Tensor Weight, Tensor Bias, Tensor? Factors);

/// <summary>A whole layer's weights [outputs, inputs] and bias [outputs].</summary>
internal sealed record WholeLinear(Parameter Weight, Parameter Bias);
