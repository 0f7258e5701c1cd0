using Dsd.Models.Native;
using Dsd.Models.Weights;
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
        Tensor scale = rsqrt(wide.square().mean([-1], keepdim: true) + _epsilon); // [batch, tokens, 1]
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
            Tensor together = functional.scaled_dot_product_attention(query * Math.Sqrt(_config.DKv), key, value, bias.expand(x.shape[0], -1, -1, -1));
            return o.forward(TextLayers.Join(together)); // [batch, tokens, channels]
        }
        Tensor scores = matmul(query, key.transpose(2, 3)) + bias; // [batch, heads, tokens, tokens]
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
        Tensor places = arange(tokens, dtype: ScalarType.Int64);
        Tensor offset = places.unsqueeze(0) - places.unsqueeze(1); // [tokens, tokens], key minus query
        Tensor distance = offset.abs();
        Tensor logarithm = log(distance.to(ScalarType.Float32) / exact) / Math.Log((double)maxDistance / exact) * (half - exact);
        // The logarithm of distance zero is not used: short distances are taken as they are.
        Tensor far = (logarithm.clamp(0, half).to(ScalarType.Int64) + exact).clamp_max(half - 1);
        Tensor side = offset.gt(0).to(ScalarType.Int64) * half;
        return (side + where(distance.lt(exact), distance, far)).MoveToOuterDisposeScope();
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

    public override Tensor forward(Tensor x, Tensor bias) => x + SelfAttention.forward(layer_norm.forward(x), bias);
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

    public override Tensor forward(Tensor x) => x + DenseReluDense.forward(layer_norm.forward(x));
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

/// <summary>All blocks and the last normalisation.</summary>
internal sealed class T5Stack : Module<Tensor, Tensor>
{
    private readonly ModuleList<T5Block> block;
    private readonly T5LayerNorm final_layer_norm;
    private readonly Func<HostedBlocks<T5Block>> _host;
    private readonly HostSlab? _slab;
    private HostedBlocks<T5Block>? _hosted;

    public T5Stack(T5Config config, Device? device, ScalarType dtype, bool onHost)
        : base(nameof(T5Stack))
    {
        block = ModuleList(Enumerable.Range(0, config.NumLayers).Select(i => new T5Block(config, hasBias: i == 0, onHost ? CPU : device, dtype)).ToArray());
        _slab = onHost ? new HostSlab(block.SelectMany(b => b.parameters())) : null;
        _host = () => new HostedBlocks<T5Block>(block, device ?? CPU, () => new T5Block(config, hasBias: false, device, dtype));
        final_layer_norm = new T5LayerNorm(config, device, dtype);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        Tensor bias = block[0].Attention.Bias(x.shape[1]).to(x.device); // [1, heads, tokens, tokens]
        foreach (T5Block one in _hosted?.Run() ?? block)
        {
            using Tensor last = x;
            x = one.forward(x, bias);
        }
        return final_layer_norm.forward(x);
    }

    /// <summary>Lets blocks that lie on the host pass through the device, once their weights are there.</summary>
    public void Host()
    {
        Device device = final_layer_norm.Device;
        if (device.type == DeviceType.CUDA)
        {
            _slab?.Pin(Math.Max(0, device.index));
        }
        _hosted = _host();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hosted?.Dispose();
            _slab?.Dispose();
        }
        base.Dispose(disposing);
    }

    public void Initialize(Generator generator)
    {
        foreach (T5Block one in block)
        {
            one.Initialize(generator);
        }
    }
}

/// <summary>T5's encoder, which gives FLUX a vector for every token of a prompt.</summary>
/// <remarks>
/// Parameter names are the checkpoint's keys. There is no attention mask: FLUX was trained with padding tokens seen. There is no
/// dropout. It runs in float32 and bfloat16; in float16 its activations overflow.
/// </remarks>
public sealed class T5Encoder : Module<Tensor, Tensor>
{
    private const int LongestText = 4096;
    private const string Shared = "shared.weight";
    private const string Tied = "encoder.embed_tokens.weight";
    private readonly EmbeddingTable shared;
    private readonly T5Stack encoder;

    /// <summary>An encoder with random weights, the same for the same seed on every device.</summary>
    /// <param name="config">Its shape.</param>
    /// <param name="device">Where the weights lie. Null is the CPU.</param>
    /// <param name="dtype">The type of the weights, and of what is computed: float32 (null) or bfloat16.</param>
    /// <param name="seed">Where the random weights start.</param>
    /// <exception cref="ArgumentException">The config contradicts itself, or the type is float16.</exception>
    public T5Encoder(T5Config config, Device? device = null, ScalarType? dtype = null, long seed = 0)
        : this(config, device, dtype, onHost: false)
    {
        using Generator generator = new((ulong)seed, CPU);
        TextLayers.Normal(shared.Weight, 1, generator);
        encoder.Initialize(generator);
    }

    /// <summary>An encoder whose weights are whatever the memory held, for a caller that fills every one.</summary>
    internal static T5Encoder Uninitialized(T5Config config, Device? device, ScalarType? dtype, bool onHost = false) => new(config, device, dtype, onHost);

    /// <summary>An encoder whose weights are whatever the memory held: for loading.</summary>
    private T5Encoder(T5Config config, Device? device, ScalarType? dtype, bool onHost)
        : base(nameof(T5Encoder))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        ScalarType type = dtype ?? ScalarType.Float32;
        if (type == ScalarType.Float16)
        {
            throw new ArgumentException("T5 overflows in float16. Use bfloat16 or float32.", nameof(dtype));
        }
        Config = config;
        shared = new EmbeddingTable(config.VocabSize, config.DModel, device, type);
        encoder = new T5Stack(config, device, type, onHost);
        RegisterComponents();
    }

    /// <summary>The shape that this encoder was built with.</summary>
    public T5Config Config { get; }

    /// <summary>Where the weights lie.</summary>
    public Device Device => shared.Weight.device;

    /// <summary>The type of the weights, in which the network computes.</summary>
    public ScalarType DType => shared.Weight.dtype;

    /// <summary>The encoder of a component folder: <c>config.json</c>, and weights as <see cref="WeightSource.Open"/> finds them.</summary>
    /// <param name="folder">The folder, such as a pipeline's <c>text_encoder_2</c>.</param>
    /// <param name="device">Where the weights shall lie. Null is the CPU.</param>
    /// <param name="dtype">The type that they are cast to: float32 (null) or bfloat16.</param>
    /// <exception cref="WeightsException">Config or weights are missing or wrong, or do not belong together.</exception>
    /// <exception cref="ArgumentException">The type is float16.</exception>
    public static T5Encoder Load(string folder, Device? device = null, ScalarType? dtype = null) => Load(folder, device, dtype, onHost: false);

    /// <summary>The same, with blocks that stay on the host and pass through the device.</summary>
    internal static T5Encoder Load(string folder, Device? device, ScalarType? dtype, bool onHost)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        T5Config config = ModelFolder.ReadConfig<T5Config>(Path.Combine(folder, "config.json"), [T5Config.ClassName]);
        using WeightSource weights = WeightSource.Open(folder);
        return Load(config, weights, device, dtype, onHost);
    }

    /// <summary>An encoder with the weights of a checkpoint.</summary>
    /// <inheritdoc cref="Load(string, Device?, ScalarType?)"/>
    public static T5Encoder Load(T5Config config, WeightSource weights, Device? device = null, ScalarType? dtype = null) => Load(config, weights, device, dtype, onHost: false);

    private static T5Encoder Load(T5Config config, WeightSource weights, Device? device, ScalarType? dtype, bool onHost)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        config.Validate();
        // One table under two names; a file holds it under either or under both.
        bool hasShared = weights.Contains(Shared) || !weights.Contains(Tied);
        // The sizes that decide over memory, before any is taken.
        string last = $"encoder.block.{config.NumLayers - 1}.layer";
        weights.Expect(hasShared ? Shared : Tied, "vocab_size, d_model", config.VocabSize, config.DModel);
        weights.Expect($"{last}.0.SelfAttention.q.weight", "num_heads · d_kv, d_model; the last of num_layers", config.NumHeads * config.DKv, config.DModel);
        weights.Expect($"{last}.1.DenseReluDense.wo.weight", "d_model, d_ff", config.DModel, config.DFf);
        T5Encoder model = new(config, device, dtype, onHost);
        try
        {
            WeightLoader.Load(model, weights, name => name == Tied && hasShared, name => name == Tied ? Shared : name);
            if (onHost)
            {
                model.encoder.Host();
            }
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Encodes token ids.</summary>
    /// <param name="ids">[batch, tokens] of int64, padded, on the encoder's device.</param>
    /// <returns>The last hidden state [batch, tokens, d_model].</returns>
    /// <exception cref="ArgumentException">Shape, type or an id is out of range.</exception>
    public override Tensor forward(Tensor ids)
    {
        TextLayers.CheckIds(ids, Config.VocabSize, LongestText);
        using DisposeScope scope = NewDisposeScope();
        Tensor x = shared.forward(ids); // [batch, tokens, channels]
        return encoder.forward(x).MoveToOuterDisposeScope();
    }
}
