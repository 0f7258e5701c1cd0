using Dsd.Models.Layers;
using Dsd.Models.Weights;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Text;

// Field names in this file are the checkpoint's keys.

/// <summary>Token and position embedding.</summary>
internal sealed class ClipEmbeddings : Module<Tensor, Tensor>
{
    private readonly EmbeddingTable token_embedding;
    private readonly EmbeddingTable position_embedding;

    public ClipEmbeddings(ClipTextConfig config, Device? device, ScalarType dtype)
        : base(nameof(ClipEmbeddings))
    {
        token_embedding = new EmbeddingTable(config.VocabSize, config.HiddenSize, device, dtype);
        position_embedding = new EmbeddingTable(config.MaxPositionEmbeddings, config.HiddenSize, device, dtype);
        RegisterComponents();
    }

    public Parameter Weight => token_embedding.Weight;

    // [batch, tokens, hidden]
    public override Tensor forward(Tensor ids) => token_embedding.forward(ids).Plus(position_embedding.Weight.narrow(0, 0, ids.shape[1]));

    public void Initialize(Generator generator)
    {
        TextLayers.Normal(token_embedding.Weight, 0.02, generator);
        TextLayers.Normal(position_embedding.Weight, 0.02, generator);
    }
}

/// <summary>Attention of each token over itself and those before it.</summary>
internal sealed class ClipAttention : Module<Tensor, Tensor>
{
    private readonly TextLinear q_proj;
    private readonly TextLinear k_proj;
    private readonly TextLinear v_proj;
    private readonly TextLinear out_proj;
    private readonly long _heads;

    public ClipAttention(ClipTextConfig config, Device? device, ScalarType dtype)
        : base(nameof(ClipAttention))
    {
        _heads = config.NumAttentionHeads;
        q_proj = new TextLinear(config.HiddenSize, config.HiddenSize, device, dtype);
        k_proj = new TextLinear(config.HiddenSize, config.HiddenSize, device, dtype);
        v_proj = new TextLinear(config.HiddenSize, config.HiddenSize, device, dtype);
        out_proj = new TextLinear(config.HiddenSize, config.HiddenSize, device, dtype);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        Tensor q = TextLayers.Split(q_proj.forward(x), _heads); // [batch, heads, tokens, head]
        Tensor k = TextLayers.Split(k_proj.forward(x), _heads);
        Tensor v = TextLayers.Split(v_proj.forward(x), _heads);
        return out_proj.forward(TextLayers.Join(functional.scaled_dot_product_attention(q, k, v, is_casual: true))); // [batch, tokens, hidden]
    }

    public void Initialize(Generator generator, double inward, double outward)
    {
        TextLayers.Normal(q_proj, inward, generator);
        TextLayers.Normal(k_proj, inward, generator);
        TextLayers.Normal(v_proj, inward, generator);
        TextLayers.Normal(out_proj, outward, generator);
    }
}

/// <summary>Two linear layers with an activation between them.</summary>
internal sealed class ClipMlp : Module<Tensor, Tensor>
{
    private readonly TextLinear fc1;
    private readonly TextLinear fc2;
    private readonly bool _quick;

    public ClipMlp(ClipTextConfig config, Device? device, ScalarType dtype)
        : base(nameof(ClipMlp))
    {
        _quick = config.HiddenAct == "quick_gelu";
        fc1 = new TextLinear(config.HiddenSize, config.IntermediateSize, device, dtype);
        fc2 = new TextLinear(config.IntermediateSize, config.HiddenSize, device, dtype);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        Tensor wide = fc1.forward(x); // [batch, tokens, intermediate]
        wide = _quick ? wide * sigmoid(wide.Times(1.702)) : functional.gelu(wide);
        return fc2.forward(wide); // [batch, tokens, hidden]
    }

    public void Initialize(Generator generator, double inward, double outward)
    {
        TextLayers.Normal(fc1, inward, generator);
        TextLayers.Normal(fc2, outward, generator);
    }
}

/// <summary>Attention, then feed-forward, each after a normalisation and beside the stream itself.</summary>
internal sealed class ClipLayer : Module<Tensor, Tensor>
{
    private readonly LayerNorm layer_norm1;
    private readonly ClipAttention self_attn;
    private readonly LayerNorm layer_norm2;
    private readonly ClipMlp mlp;

    public ClipLayer(ClipTextConfig config, Device? device, ScalarType dtype)
        : base(nameof(ClipLayer))
    {
        layer_norm1 = LayerNorm(config.HiddenSize, config.LayerNormEps, device: device, dtype: dtype);
        self_attn = new ClipAttention(config, device, dtype);
        layer_norm2 = LayerNorm(config.HiddenSize, config.LayerNormEps, device: device, dtype: dtype);
        mlp = new ClipMlp(config, device, dtype);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        x = x.Plus(self_attn.forward(layer_norm1.forward(x)));
        x = x.Plus(mlp.forward(layer_norm2.forward(x)));
        return x.MoveToOuterDisposeScope();
    }

    public void Initialize(Generator generator, ClipTextConfig config)
    {
        // Layers that write into the stream start the smaller, the more of them there are.
        double stream = Math.Pow(config.HiddenSize, -0.5) * Math.Pow(2 * config.NumHiddenLayers, -0.5);
        self_attn.Initialize(generator, stream, Math.Pow(config.HiddenSize, -0.5));
        mlp.Initialize(generator, Math.Pow(2 * config.HiddenSize, -0.5), stream);
    }
}

/// <summary>All layers.</summary>
internal sealed class ClipEncoder : Module<Tensor, Tensor>
{
    private readonly ModuleList<ClipLayer> layers;

    public ClipEncoder(ClipTextConfig config, Device? device, ScalarType dtype)
        : base(nameof(ClipEncoder))
    {
        layers = ModuleList(Enumerable.Range(0, config.NumHiddenLayers).Select(_ => new ClipLayer(config, device, dtype)).ToArray());
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        foreach (ClipLayer layer in layers)
        {
            using Tensor last = x;
            x = layer.forward(x);
        }
        return x;
    }

    public void Initialize(Generator generator, ClipTextConfig config)
    {
        foreach (ClipLayer layer in layers)
        {
            layer.Initialize(generator, config);
        }
    }
}

/// <summary>CLIP's text encoder, which gives FLUX one pooled vector for a prompt.</summary>
/// <remarks>Parameter names are the checkpoint's keys, without the older prefix <c>text_model.</c>, which is read too.</remarks>
public sealed class ClipTextModel : Module<Tensor, (Tensor Last, Tensor Pooled)>
{
    private const string OldPrefix = "text_model.";
    private const int LegacyEos = 2;
    private readonly ClipEmbeddings embeddings;
    private readonly ClipEncoder encoder;
    private readonly LayerNorm final_layer_norm;

    /// <summary>An encoder with random weights, the same for the same seed on every device.</summary>
    /// <param name="config">Its shape.</param>
    /// <param name="device">Where the weights lie. Null is the CPU.</param>
    /// <param name="dtype">The type of the weights, and of what is computed. Null is float32.</param>
    /// <param name="seed">Where the random weights start.</param>
    /// <exception cref="ArgumentException">The config contradicts itself.</exception>
    public ClipTextModel(ClipTextConfig config, Device? device = null, ScalarType? dtype = null, long seed = 0)
        : this(config, device, dtype)
    {
        using Generator generator = new((ulong)seed, CPU);
        embeddings.Initialize(generator);
        encoder.Initialize(generator, config);
    }

    /// <summary>An encoder whose weights are whatever the memory held, for a caller that fills every one.</summary>
    internal static ClipTextModel Uninitialized(ClipTextConfig config, Device? device, ScalarType? dtype) => new(config, device, dtype);

    /// <summary>An encoder whose weights are whatever the memory held: for loading.</summary>
    private ClipTextModel(ClipTextConfig config, Device? device, ScalarType? dtype)
        : base(nameof(ClipTextModel))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        ScalarType type = dtype ?? ScalarType.Float32;
        embeddings = new ClipEmbeddings(config, device, type);
        encoder = new ClipEncoder(config, device, type);
        final_layer_norm = LayerNorm(config.HiddenSize, config.LayerNormEps, device: device, dtype: type);
        RegisterComponents();
    }

    /// <summary>The shape that this encoder was built with.</summary>
    public ClipTextConfig Config { get; }

    /// <summary>Where the weights lie.</summary>
    public Device Device => embeddings.Weight.device;

    /// <summary>The type of the weights, in which the network computes.</summary>
    public ScalarType DType => embeddings.Weight.dtype;

    /// <summary>The linear layers by module name: where adapters go.</summary>
    internal Dictionary<string, TextLinear> Linears() =>
        named_modules().Where(m => m.module is TextLinear).ToDictionary(m => m.name, m => (TextLinear)m.module);

    /// <summary>The encoder of a component folder: <c>config.json</c>, and weights as <see cref="WeightSource.Open"/> finds them.</summary>
    /// <param name="folder">The folder, such as a pipeline's <c>text_encoder</c>.</param>
    /// <param name="device">Where the weights shall lie. Null is the CPU.</param>
    /// <param name="dtype">The type that they are cast to. Null is float32.</param>
    /// <exception cref="WeightsException">Config or weights are missing or wrong, or do not belong together.</exception>
    public static ClipTextModel Load(string folder, Device? device = null, ScalarType? dtype = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ClipTextConfig config = ModelFolder.ReadConfigFile<ClipTextConfig>(Path.Combine(folder, "config.json"), ClipTextConfig.ClassName);
        using WeightSource weights = WeightSource.Open(folder);
        return Load(config, weights, device, dtype);
    }

    /// <summary>An encoder with the weights of a checkpoint.</summary>
    /// <inheritdoc cref="Load(string, Device?, ScalarType?)"/>
    public static ClipTextModel Load(ClipTextConfig config, WeightSource weights, Device? device = null, ScalarType? dtype = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        config.Validate();
        // The sizes that decide over memory, before any is taken.
        string prefix = weights.Names.Any(n => n.StartsWith(OldPrefix, StringComparison.Ordinal)) ? OldPrefix : "";
        weights.Expect($"{prefix}embeddings.token_embedding.weight", "vocab_size, hidden_size", config.VocabSize, config.HiddenSize);
        weights.Expect(
            $"{prefix}embeddings.position_embedding.weight", "max_position_embeddings, hidden_size", config.MaxPositionEmbeddings, config.HiddenSize);
        weights.Expect(
            $"{prefix}encoder.layers.{config.NumHiddenLayers - 1}.mlp.fc1.weight", "intermediate_size, hidden_size; the last of num_hidden_layers",
            config.IntermediateSize, config.HiddenSize);
        ClipTextModel model = new(config, device, dtype);
        try
        {
            // Older checkpoints carry the numbers of the positions, which are simply 0, 1, 2 …
            WeightLoader.Load(
                model,
                weights,
                ignore: name => name.EndsWith("embeddings.position_ids", StringComparison.Ordinal),
                rename: name => name.StartsWith(OldPrefix, StringComparison.Ordinal) ? name[OldPrefix.Length..] : name);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Encodes token ids.</summary>
    /// <param name="ids">[batch, tokens] of int64, padded with the end-of-text token, on the encoder's device.</param>
    /// <returns>The last hidden state [batch, tokens, hidden], and the pooled output [batch, hidden]: the state at the end of the text.</returns>
    /// <exception cref="ArgumentException">Shape, type or an id is out of range.</exception>
    public override (Tensor Last, Tensor Pooled) forward(Tensor ids)
    {
        TextLayers.CheckIds(ids, Config.VocabSize, Config.MaxPositionEmbeddings);
        using DisposeScope scope = NewDisposeScope();
        Tensor x = embeddings.forward(ids); // [batch, tokens, hidden]
        x = encoder.forward(x);
        Tensor last = final_layer_norm.forward(x); // [batch, tokens, hidden]

        Tensor end = Config.EosTokenId == LegacyEos ? ids.argmax(1) : ids.eq(tensor((long)Config.EosTokenId)).to(ScalarType.Int64).argmax(1); // [batch]
        Tensor place = end.view(-1, 1, 1).expand(-1, 1, last.shape[2]); // [batch, 1, hidden]
        Tensor pooled = last.gather(1, place).squeeze(1); // [batch, hidden]
        return (last.MoveToOuterDisposeScope(), pooled.MoveToOuterDisposeScope());
    }
}
