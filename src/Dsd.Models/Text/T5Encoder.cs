using Dsd.Models.Residency;
using Dsd.Models.Weights;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Text;

// Field names in this file are the checkpoint's keys.

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
        _slab?.Pin(final_layer_norm.Device);
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
    internal static T5Encoder Uninitialized(T5Config config, Device? device, ScalarType? dtype) => new(config, device, dtype, onHost: false);

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
        T5Config config = ModelFolder.ReadConfigFile<T5Config>(Path.Combine(folder, "config.json"), T5Config.ClassName);
        using WeightSource weights = WeightSource.Open(folder);
        return Load(config, weights, device, dtype, onHost);
    }

    /// <summary>An encoder with the weights of a checkpoint.</summary>
    /// <inheritdoc cref="Load(string, Device?, ScalarType?)"/>
    public static T5Encoder Load(T5Config config, WeightSource weights, Device? device = null, ScalarType? dtype = null) =>
        Load(config, weights, device, dtype, onHost: false);

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
