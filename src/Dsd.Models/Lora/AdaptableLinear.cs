using Dsd.Models.Native;
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

    /// <summary>Layers of one shape whose weights lie end to end, so that <see cref="Together"/> can be one product.</summary>
    public static AdaptableLinear[] Row(int count, long inputs, long outputs, Device? device, ScalarType dtype)
    {
        using Tensor weights = empty(count * outputs, inputs, dtype: dtype, device: device);
        using Tensor biases = empty(count * outputs, dtype: dtype, device: device);
        return [.. Enumerable.Range(0, count).Select(i => new AdaptableLinear(weights.narrow(0, i * outputs, outputs), biases.narrow(0, i * outputs, outputs)))];
    }

    /// <summary>
    /// What each layer gives for x [batch, tokens, inputs]: by one matrix product where the weights lie end to end, nothing lies over them and nothing learns. A larger product
    /// uses a GPU better. The results then are parts of one tensor.
    /// </summary>
    public static Tensor[] Together(Tensor x, params AdaptableLinear[] layers)
    {
        if (!Fused || is_grad_enabled() || !layers.All(l => l.IsPlain && l.FollowsOn(layers[0], layers)))
        {
            return [.. layers.Select(l => l.forward(x))];
        }
        (Tensor first, Tensor offset) = (layers[0].weight, layers[0].bias);
        long outputs = layers.Sum(l => l.weight.shape[0]);
        Tensor all = functional.linear(
            x, first.as_strided([outputs, first.shape[1]], [first.shape[1], 1], first.storage_offset()), offset.as_strided([outputs], [1], offset.storage_offset()));
        return all.split([.. layers.Select(l => l.weight.shape[0])], -1); // [batch, tokens, outputs] each
    }

    /// <summary>False gives each layer a product of its own: for comparisons.</summary>
    public static bool Fused { get; set; } = true;

    private bool IsPlain => _adapters.Count == 0 && Replacement is null;

    // Whatever moves a layer's weights elsewhere, to another device or type, parts them: each then starts a storage of its own.
    private bool FollowsOn(AdaptableLinear first, AdaptableLinear[] layers)
    {
        long before = layers.TakeWhile(l => l != this).Sum(l => l.weight.shape[0]);
        return Follows(first.weight, weight, before * first.weight.shape[1]) && Follows(first.bias, bias, before);

        static bool Follows(Tensor start, Tensor tensor, long numbers) => tensor.is_contiguous()
            && tensor.storage_offset() == start.storage_offset() + numbers
            && TensorMemory.Address(tensor) == TensorMemory.Address(start) + (numbers * start.element_size());
    }

    public override Tensor forward(Tensor x)
    {
        (Tensor used, Tensor offset) = WeightAndBias(x.dtype);
        Tensor rows = Rows(x);
        Tensor y = functional.linear(rows, used, offset);
        foreach (LoraPair pair in _adapters)
        {
            y = pair.AddTo(y, pair.Down(rows));
        }
        return y.view([.. x.shape[..^1], y.shape[^1]]);
    }

    /// <summary>GELU, in its tanh form, of what <see cref="forward(Tensor)"/> gives.</summary>
    public Tensor Gelu(Tensor x)
    {
        if (!IsPlain || !FusedGelu.Suits(x))
        {
            return functional.gelu(forward(x), TorchSharp.Modules.GELU.Approximate.tanh);
        }
        return FusedGelu.Apply(x.flatten(0, -2), weight, bias).view([.. x.shape[..^1], weight.shape[0]]);
    }

    /// <summary>What <see cref="forward(Tensor)"/> gives for both inputs [batch, tokens, …] side by side, without a copy of them that lies there.</summary>
    public Tensor forward(Tensor first, Tensor second)
    {
        (Tensor used, Tensor offset) = WeightAndBias(first.dtype);
        Tensor[] parts = used.split([first.shape[^1], second.shape[^1]], 1);
        (Tensor rows, Tensor others) = (Rows(first), Rows(second));
        Tensor y = functional.linear(rows, parts[0], offset);
        y = rows.dim() == 2 ? y.addmm_(others, parts[1].t(), 1, 1) : y + functional.linear(others, parts[1]);
        foreach (LoraPair pair in _adapters)
        {
            y = pair.AddTo(y, pair.Down(rows, others));
        }
        return y.view([.. first.shape[..^1], y.shape[^1]]);
    }

    // [batch · tokens, inputs], or [adapters, batch / adapters · tokens, inputs] for stacked factors: as the sum with an adapter's product needs it.
    private Tensor Rows(Tensor x) => _adapters.Count == 1 && _adapters[0].IsStacked
        ? x.reshape(_adapters[0].A.shape[0], -1, x.shape[^1])
        : x.flatten(0, -2);

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
/// A [adapters, rank, inputs] and B [adapters, outputs, rank], are many adapters at once: the batch holds equal shares for each, one after another, and x and y are [adapters, rows, …] then; they lie alone over their layer.
/// </summary>
internal sealed record LoraPair(Parameter A, Parameter B, float Scale)
{
    public bool IsStacked => A.dim() == 3;

    /// <summary><c>A·x</c> of x [rows, inputs]: [rows, rank].</summary>
    public Tensor Down(Tensor x)
    {
        Tensor a = A.to(x.dtype);
        return IsStacked ? x.bmm(a.transpose(1, 2)) : functional.linear(x, a);
    }

    /// <summary>The same of x whose channels come in two parts, [rows, some inputs] and [rows, the others].</summary>
    public Tensor Down(Tensor first, Tensor second)
    {
        Tensor[] a = A.to(first.dtype).split([first.shape[^1], second.shape[^1]], -1);
        return IsStacked
            ? first.bmm(a[0].transpose(1, 2)) + second.bmm(a[1].transpose(1, 2))
            : functional.linear(first, a[0]).addmm_(second, a[1].t(), 1, 1);
    }

    /// <summary><c>y + scale · B·low</c> of y [rows, outputs], which is changed in place where that can be: another sum would move as much memory as the layer itself.</summary>
    public Tensor AddTo(Tensor y, Tensor low)
    {
        Tensor b = B.to(y.dtype);
        return IsStacked ? y + low.bmm(b.transpose(1, 2)) * Scale : y.addmm_(low, b.t(), 1, Scale);
    }
}

/// <summary>A whole layer's weights [outputs, inputs] and bias [outputs].</summary>
internal sealed record WholeLinear(Parameter Weight, Parameter Bias);
