using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Lora;

/// <summary>
/// A linear layer that low-rank adapters may be laid over: <c>y = W·x + b + Σ scale · B·(A·x)</c>.
/// Its keys are those of a plain linear layer, with adapters or without.
/// </summary>
internal sealed class AdaptableLinear : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly List<LoraPair> _adapters = [];

    public AdaptableLinear(long inputs, long outputs, Device? device = null, ScalarType dtype = ScalarType.Float32)
        : base(nameof(AdaptableLinear))
    {
        weight = Parameter(empty(outputs, inputs, dtype: dtype, device: device));
        bias = Parameter(empty(outputs, dtype: dtype, device: device));
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

    public override Tensor forward(Tensor x)
    {
        (Tensor used, Tensor offset) = WeightAndBias(x.dtype);
        Tensor y = functional.linear(x, used, offset); // [batch, tokens, outputs]
        foreach (LoraPair pair in _adapters)
        {
            y = y + pair.Product(x) * pair.Scale;
        }
        return y;
    }

    /// <summary>What <see cref="forward(Tensor)"/> gives for both inputs [batch, tokens, …] side by side, without a copy of them that lies there.</summary>
    public Tensor forward(Tensor first, Tensor second)
    {
        (Tensor used, Tensor offset) = WeightAndBias(first.dtype);
        Tensor[] parts = used.split([first.shape[^1], second.shape[^1]], 1);
        Tensor y = functional.linear(first, parts[0], offset) + functional.linear(second, parts[1]);
        foreach (LoraPair pair in _adapters)
        {
            y = y + pair.Product(first, second) * pair.Scale;
        }
        return y;
    }

    // Adapters may be kept in float32 over a network in bfloat16: they are rounded for the product, and learn in full.
    private (Tensor Weight, Tensor Bias) WeightAndBias(ScalarType type) =>
        Replacement is { } whole ? (whole.Weight.to(type), whole.Bias.to(type)) : (weight, bias);

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

/// <summary>
/// The two factors over one layer, A [rank, inputs] and B [outputs, rank], and what their product is multiplied by. Stacked factors,
/// A [adapters, rank, inputs] and B [adapters, outputs, rank], are many adapters at once: the batch holds equal shares for each, one after another.
/// </summary>
internal sealed record LoraPair(Parameter A, Parameter B, float Scale)
{
    /// <summary><c>B·(A·x)</c> of x [batch, …, inputs]: [batch, …, outputs].</summary>
    public Tensor Product(Tensor x) => Up(Down(x, A.to(x.dtype)), x);

    /// <summary><c>B·(A·x)</c> of x whose channels come in two parts, [batch, …, some inputs] and [batch, …, the others].</summary>
    public Tensor Product(Tensor first, Tensor second)
    {
        Tensor[] a = A.to(first.dtype).split([first.shape[^1], second.shape[^1]], -1);
        return Up(Down(first, a[0]) + Down(second, a[1]), first);
    }

    // [batch, tokens, rank], or of stacked factors [adapters, batch / adapters · tokens, rank].
    private static Tensor Down(Tensor x, Tensor a) =>
        a.dim() == 2 ? functional.linear(x, a) : x.reshape(a.shape[0], -1, x.shape[^1]).bmm(a.transpose(1, 2));

    private Tensor Up(Tensor low, Tensor x)
    {
        Tensor b = B.to(x.dtype);
        return b.dim() == 2 ? functional.linear(low, b) : low.bmm(b.transpose(1, 2)).reshape([.. x.shape[..^1], b.shape[1]]);
    }
}

/// <summary>A whole layer's weights [outputs, inputs] and bias [outputs].</summary>
internal sealed record WholeLinear(Parameter Weight, Parameter Bias);
