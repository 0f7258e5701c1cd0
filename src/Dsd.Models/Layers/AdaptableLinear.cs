using Dsd.Models.Acceleration;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Layers;

/// <summary>
/// A linear layer that adapters may be laid over: <c>y = W·x + b + Σ adapter(x)</c>.
/// Its keys are those of a plain linear layer, with adapters or without.
/// </summary>
public sealed class AdaptableLinear : Module<Tensor, Tensor>
{
    private Parameter weight;
    private readonly Parameter bias;
    private List<ILinearAdapter> _adapters = [];
    private Tensor? _factors;

    /// <summary>A layer whose weights are whatever the memory held, until they are loaded or <see cref="Initialize"/> draws them.</summary>
    /// <param name="inputs">Channels that come in.</param>
    /// <param name="outputs">Channels that go out.</param>
    /// <param name="device">Where the weights lie. Null is the CPU.</param>
    /// <param name="dtype">Their type.</param>
    public AdaptableLinear(long inputs, long outputs, Device? device = null, ScalarType dtype = ScalarType.Float32)
        : this(empty(outputs, inputs, dtype: dtype, device: device), empty(outputs, dtype: dtype, device: device))
    {
    }

    /// <summary>A layer over given weights [outputs, inputs] and biases [outputs], which may be parts of other tensors.</summary>
    internal AdaptableLinear(Tensor weights, Tensor biases)
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

    /// <summary>
    /// The adapters over this layer, in the order in which they are added. They belong to whoever put them there: the layer neither moves nor frees them.
    /// The list must not change beside a forward pass.
    /// </summary>
    public IList<ILinearAdapter> Adapters => _adapters;

    /// <summary>Weights used in place of the layer's own while an adapter is attached that holds them whole.</summary>
    internal WholeLinear? Replacement { get; set; }

    /// <summary>Whether the weights lie on the host, to be brought to where the layer's input is each time: for layers that are seldom needed.</summary>
    internal bool IsOnHost { get; init; }

    /// <summary>Whether the layer's own weights are in eight bits.</summary>
    internal bool HoldsFloat8 => _factors is not null;

    /// <summary>Whether nothing lies over the layer.</summary>
    internal bool IsPlain => _adapters.Count == 0 && Replacement is null;

    /// <summary>Whether weights in eight bits are widened before each product: for layers that only save memory by them.</summary>
    internal bool WidensFloat8 { get; set; }

    /// <summary>
    /// Whether the layer computes with weights in eight bits. Products in eight bits know no gradient: where one is wanted, the weights are widened, too.
    /// </summary>
    internal bool IsFloat8 => HoldsFloat8 && !WidensFloat8 && Replacement is null && !is_grad_enabled();

    /// <summary>Whether it does, and nothing lies over it, so that it needs its input in eight bits only.</summary>
    internal bool TakesFloat8 => IsFloat8 && _adapters.Count == 0;

    /// <summary>The layer's own weights, adapters and replacement aside.</summary>
    internal LinearWeights Own => new(weight, bias, _factors);

    /// <summary>The layer over x [..., inputs]: [..., outputs].</summary>
    public override Tensor forward(Tensor x)
    {
        // What is widened goes at once: a scope further out would collect such weights of many layers.
        using DisposeScope? scope = HoldsFloat8 ? NewDisposeScope() : null;
        LinearWeights weights = WeightsFor(x.dtype, x.device);
        Tensor y = FastLinear.Suits(weights, x) ? FastLinear.Product(this, weights, x) : Formula(weights, x);
        return scope is null ? y : y.MoveToOuterDisposeScope();
    }

    /// <summary>The layer as it is defined.</summary>
    internal Tensor Formula(LinearWeights weights, Tensor x)
    {
        Tensor rows = x.flatten(0, -2); // an adapter's part then can be added in place
        Tensor y = functional.linear(rows, weights.Weight, weights.Bias);
        foreach (ILinearAdapter adapter in _adapters)
        {
            y = adapter.AddTo(y, rows);
        }
        return y.view([.. x.shape[..^1], y.shape[^1]]);
    }

    /// <summary>The weights that count for an input of a type on a device.</summary>
    // A replacement may be kept in float32 over a network in bfloat16: it is rounded for the product, and learns in full.
    internal LinearWeights WeightsFor(ScalarType type, Device device) =>
        Replacement is { } whole ? new LinearWeights(whole.Weight.to(type), whole.Bias.to(type), null)
        : IsOnHost ? new LinearWeights(weight.to(device), bias.to(device), null)
        : WidensFloat8 || is_grad_enabled() ? Own.Widened()
        : Own;

    /// <summary>
    /// Puts weights in eight bits [outputs, inputs], and a factor for each output [outputs], in the place of the layer's own, which are freed.
    /// </summary>
    internal void HoldFloat8(Parameter rounded, Tensor factors)
    {
        weight.Dispose();
        weight = rounded;
        ConditionallyRegisterParameter(nameof(weight), rounded);
        _factors = factors;
    }

    /// <summary>Takes over what lies over another layer, for as long as this one stands in for it.</summary>
    internal void ShareAdaptersOf(AdaptableLinear other) => (_adapters, Replacement) = (other._adapters, other.Replacement);

    /// <summary>Random weights with variance 2 / (inputs + outputs); the bias is zero.</summary>
    public void Initialize(Generator generator)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        weight.copy_(randn(weight.shape, generator: generator).Times(Math.Sqrt(2.0 / (weight.shape[0] + weight.shape[1]))));
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

    /// <summary>Frees the weights.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _factors?.Dispose();
        }
        base.Dispose(disposing);
    }
}
