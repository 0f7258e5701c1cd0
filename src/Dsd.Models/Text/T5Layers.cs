using Dsd.Models.Acceleration;
using Dsd.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Text;

// Field names in this file are the checkpoint's keys. T5 neither scales attention by the head's size nor has biases in linear layers.

/// <summary>Root-mean-square normalisation over the channels, computed in float32.</summary>
internal sealed class T5LayerNorm : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly double _epsilon;

    public T5LayerNorm(T5Config config, Device? device, ScalarType dtype)
        : base(nameof(T5LayerNorm))
    {
        _epsilon = config.LayerNormEpsilon;
        weight = Parameter(ones(config.DModel, dtype: dtype, device: device));
        RegisterComponents();
    }

    public Device Device => weight.device;

    public override Tensor forward(Tensor x)
    {
        if (FusedRmsNorm.Suits(x))
        {
            return weight * FusedRmsNorm.Apply(x, _epsilon).to(weight.dtype);
        }
        Tensor wide = x.to(ScalarType.Float32);
        Tensor scale = rsqrt(wide.Squared().mean([-1], keepdim: true).Plus(_epsilon)); // [batch, tokens, 1]
        return weight * (wide * scale).to(weight.dtype);
    }
}

/// <summary>Attention over all tokens, with a bias by distance. The first block's layer owns the biases of all.</summary>
internal sealed class T5Attention : Module<Tensor, Tensor, Tensor>
{
    private readonly TextLinear q;
    private readonly TextLinear k;
    private readonly TextLinear v;
    private readonly TextLinear o;
    private readonly EmbeddingTable? relative_attention_bias;
    private readonly T5Config _config;

    public T5Attention(T5Config config, bool hasBias, Device? device, ScalarType dtype)
        : base(nameof(T5Attention))
    {
        _config = config;
        int inner = config.NumHeads * config.DKv;
        q = new TextLinear(config.DModel, inner, device, dtype, hasBias: false);
        k = new TextLinear(config.DModel, inner, device, dtype, hasBias: false);
        v = new TextLinear(config.DModel, inner, device, dtype, hasBias: false);
        o = new TextLinear(inner, config.DModel, device, dtype, hasBias: false);
        relative_attention_bias = hasBias ? new EmbeddingTable(config.RelativeAttentionNumBuckets, config.NumHeads, device, dtype) : null;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x, Tensor bias)
    {
        Tensor query = TextLayers.Split(q.forward(x), _config.NumHeads); // [batch, heads, tokens, head]
        Tensor key = TextLayers.Split(k.forward(x), _config.NumHeads);
        Tensor value = TextLayers.Split(v.forward(x), _config.NumHeads);
        if (x.device_type == DeviceType.CUDA && !is_grad_enabled())
        {
            // There the operation divides by the root of the head's size.
            Tensor together = functional.scaled_dot_product_attention(query.Times(Math.Sqrt(_config.DKv)), key, value, bias.expand(x.shape[0], -1, -1, -1));
            return o.forward(TextLayers.Join(together)); // [batch, tokens, channels]
        }
        Tensor scores = matmul(query, key.transpose(2, 3)).Plus(bias); // [batch, heads, tokens, tokens]
        Tensor weights = functional.softmax(scores.to(ScalarType.Float32), dim: -1).to(scores.dtype);
        return o.forward(TextLayers.Join(matmul(weights, value))); // [batch, tokens, channels]
    }

    /// <summary>The bias of every head for every pair of tokens: [1, heads, tokens, tokens].</summary>
    public Tensor Bias(long tokens)
    {
        Tensor table = relative_attention_bias!.Weight;
        Tensor buckets = T5Distance.Buckets(tokens, _config.RelativeAttentionNumBuckets, _config.RelativeAttentionMaxDistance).to(table.device);
        return relative_attention_bias.forward(buckets).permute(2, 0, 1).unsqueeze(0);
    }

    public void Initialize(Generator generator)
    {
        double inward = Math.Pow(_config.DModel, -0.5);
        // The queries take over the division by the root of the head's size.
        TextLayers.Normal(q, inward * Math.Pow(_config.DKv, -0.5), generator);
        TextLayers.Normal(k, inward, generator);
        TextLayers.Normal(v, inward, generator);
        TextLayers.Normal(o, Math.Pow(_config.NumHeads * _config.DKv, -0.5), generator);
        if (relative_attention_bias is not null)
        {
            TextLayers.Normal(relative_attention_bias.Weight, inward, generator);
        }
    }
}

/// <summary>Classes of distance: each short distance its own, longer ones by logarithm, halves for before and after.</summary>
internal static class T5Distance
{
    /// <summary>The class of each pair of tokens [query, key], on the CPU: its logarithm rounds the same wherever the encoder runs.</summary>
    public static Tensor Buckets(long tokens, int buckets, int maxDistance)
    {
        using DisposeScope scope = NewDisposeScope();
        int half = buckets / 2;
        int exact = half / 2;
        Tensor places = TensorMath.Range(tokens, ScalarType.Int64);
        Tensor offset = places.unsqueeze(0) - places.unsqueeze(1); // [tokens, tokens], key minus query
        Tensor distance = offset.abs();
        Tensor logarithm = log(distance.to(ScalarType.Float32).Over(exact)).Over(Math.Log((double)maxDistance / exact)).Times(half - exact);
        // The logarithm of distance zero is not used: short distances are taken as they are.
        Tensor far = minimum(logarithm.Clamped(0, half).to(ScalarType.Int64).Plus(exact), tensor(half - 1L));
        Tensor side = offset.gt(tensor(0L)).to(ScalarType.Int64).Times(half);
        return side.Plus(where(distance.lt(tensor((long)exact)), distance, far)).MoveToOuterDisposeScope();
    }
}

/// <summary>Attention after a normalisation, beside the stream.</summary>
internal sealed class T5AttentionLayer : Module<Tensor, Tensor, Tensor>
{
    private readonly T5Attention SelfAttention;
    private readonly T5LayerNorm layer_norm;

    public T5AttentionLayer(T5Config config, bool hasBias, Device? device, ScalarType dtype)
        : base(nameof(T5AttentionLayer))
    {
        SelfAttention = new T5Attention(config, hasBias, device, dtype);
        layer_norm = new T5LayerNorm(config, device, dtype);
        RegisterComponents();
    }

    public T5Attention Attention => SelfAttention;

    public override Tensor forward(Tensor x, Tensor bias) => x.Plus(SelfAttention.forward(layer_norm.forward(x), bias));
}

/// <summary>The feed-forward layers: plain with ReLU, or one half gated by the GELU of the other.</summary>
internal sealed class T5FeedForward : Module<Tensor, Tensor>
{
    private readonly TextLinear? wi;
    private readonly TextLinear? wi_0;
    private readonly TextLinear? wi_1;
    private readonly TextLinear wo;

    public T5FeedForward(T5Config config, Device? device, ScalarType dtype)
        : base(nameof(T5FeedForward))
    {
        if (config.FeedForwardProj == "gated-gelu")
        {
            wi_0 = new TextLinear(config.DModel, config.DFf, device, dtype, hasBias: false);
            wi_1 = new TextLinear(config.DModel, config.DFf, device, dtype, hasBias: false);
        }
        else
        {
            wi = new TextLinear(config.DModel, config.DFf, device, dtype, hasBias: false);
        }
        wo = new TextLinear(config.DFf, config.DModel, device, dtype, hasBias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        Tensor wide = wi is null
            ? wi_0!.forward(x).gelu(TorchSharp.Modules.GELU.Approximate.tanh) * wi_1!.forward(x)
            : functional.relu(wi.forward(x)); // [batch, tokens, d_ff]
        return wo.forward(wide); // [batch, tokens, channels]
    }

    public void Initialize(Generator generator)
    {
        foreach (TextLinear linear in new[] { wi, wi_0, wi_1, wo }.OfType<TextLinear>())
        {
            TextLayers.Normal(linear, Math.Pow(linear.Weight.shape[1], -0.5), generator);
        }
    }
}

/// <summary>Feed-forward after a normalisation, beside the stream.</summary>
internal sealed class T5FeedForwardLayer : Module<Tensor, Tensor>
{
    private readonly T5FeedForward DenseReluDense;
    private readonly T5LayerNorm layer_norm;

    public T5FeedForwardLayer(T5Config config, Device? device, ScalarType dtype)
        : base(nameof(T5FeedForwardLayer))
    {
        DenseReluDense = new T5FeedForward(config, device, dtype);
        layer_norm = new T5LayerNorm(config, device, dtype);
        RegisterComponents();
    }

    public T5FeedForward FeedForward => DenseReluDense;

    public override Tensor forward(Tensor x) => x.Plus(DenseReluDense.forward(layer_norm.forward(x)));
}

/// <summary>One block: attention, then feed-forward.</summary>
internal sealed class T5Block : Module<Tensor, Tensor, Tensor>
{
    private readonly ModuleList<Module> layer;

    public T5Block(T5Config config, bool hasBias, Device? device, ScalarType dtype)
        : base(nameof(T5Block))
    {
        layer = ModuleList<Module>(new T5AttentionLayer(config, hasBias, device, dtype), new T5FeedForwardLayer(config, device, dtype));
        RegisterComponents();
    }

    public T5Attention Attention => AttentionLayer.Attention;

    // Properties, since a field for each would give every weight a second name.
    private T5AttentionLayer AttentionLayer => (T5AttentionLayer)layer[0];

    private T5FeedForwardLayer FeedForwardLayer => (T5FeedForwardLayer)layer[1];

    public override Tensor forward(Tensor x, Tensor bias)
    {
        using DisposeScope scope = NewDisposeScope();
        x = AttentionLayer.forward(x, bias);
        return FeedForwardLayer.forward(x).MoveToOuterDisposeScope();
    }

    public void Initialize(Generator generator)
    {
        Attention.Initialize(generator);
        FeedForwardLayer.FeedForward.Initialize(generator);
    }
}
