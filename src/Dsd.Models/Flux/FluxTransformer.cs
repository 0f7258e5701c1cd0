using Dsd.Models.Lora;
using Dsd.Models.Native;
using Dsd.Models.Weights;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Flux;

// Field names in this file are the checkpoint's keys.

/// <summary>
/// The FLUX transformer (<c>FluxTransformer2DModel</c> of diffusers), and with <see cref="FluxConfig.Conditional"/> the conditional
/// model of Diffusion Self-Distillation, which adds <c>c_embedder(condition)</c> to the embedded latents.
/// It predicts the velocity of rectified flow, <c>noise − x₀</c>.
/// </summary>
/// <remarks>
/// Parameter names are the checkpoint's keys. Attention runs over text tokens, then image tokens. Every linear layer can carry
/// low-rank adapters: see <see cref="LoraAttachment"/>. Runs in float32, bfloat16 and float16, with autograd where enabled.
/// </remarks>
public sealed class FluxTransformer : Module
{
    private readonly Modulation norm_out;
    private readonly AdaptableLinear x_embedder;
    private AdaptableLinear? c_embedder;
    private readonly AdaptableLinear context_embedder;
    private readonly TimeTextEmbedding time_text_embed;
    private readonly ModuleList<DoubleStreamBlock> transformer_blocks;
    private readonly ModuleList<SingleStreamBlock> single_transformer_blocks;
    private readonly AdaptableLinear proj_out;
    private readonly Lock _passing = new();
    private HostedBlocks<DoubleStreamBlock>? _doubles;
    private HostedBlocks<SingleStreamBlock>? _singles;
    private readonly HostSlab? _slab;

    /// <summary>A transformer with random weights, the same for the same seed on every device.</summary>
    /// <param name="config">Its shape.</param>
    /// <param name="device">Where the weights lie. Null is the CPU.</param>
    /// <param name="dtype">The type of the weights, and of what is computed. Null is float32.</param>
    /// <param name="seed">Where the random weights start.</param>
    /// <exception cref="ArgumentException">The config contradicts itself.</exception>
    /// <remarks>
    /// Linear layers start normal with variance 2 / (inputs + outputs); modulations, <c>proj_out</c> and <c>c_embedder</c> start at zero,
    /// so that every block is the identity and the condition says nothing at first.
    /// </remarks>
    public FluxTransformer(FluxConfig config, Device? device = null, ScalarType? dtype = null, long seed = 0)
        : this(config, device, dtype, MemoryMode.Resident)
    {
        Initialize(seed);
    }

    /// <summary>A transformer whose weights are whatever the memory held, for a caller that fills every one.</summary>
    internal static FluxTransformer Uninitialized(FluxConfig config, Device? device, ScalarType? dtype) => new(config, device, dtype, MemoryMode.Resident);

    /// <summary>A transformer whose weights are whatever the memory held: for loaders that fill every one.</summary>
    /// <remarks>With <paramref name="float8"/> the blocks lie on the host, each until it is filled: see <see cref="Float8WhenFilled"/>.</remarks>
    private FluxTransformer(FluxConfig config, Device? device, ScalarType? dtype, MemoryMode memory, bool float8 = false)
        : base(nameof(FluxTransformer))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        ScalarType type = dtype ?? ScalarType.Float32;
        bool idle = memory != MemoryMode.Resident;
        Device? blocks = memory == MemoryMode.Streamed || float8 ? CPU : device;
        x_embedder = new AdaptableLinear(config.InChannels, config.Width, device, type);
        c_embedder = config.Conditional ? new AdaptableLinear(config.InChannels, config.Width, device, type) : null;
        context_embedder = new AdaptableLinear(config.JointAttentionDim, config.Width, device, type);
        time_text_embed = new TimeTextEmbedding(config, device, type);
        transformer_blocks = ModuleList(Enumerable.Range(0, config.NumLayers).Select(_ => new DoubleStreamBlock(config, blocks, type, idle)).ToArray());
        single_transformer_blocks = ModuleList(Enumerable.Range(0, config.NumSingleLayers).Select(_ => new SingleStreamBlock(config, blocks, type, idle)).ToArray());
        norm_out = new Modulation(config.Width, 2, device, type);
        proj_out = new AdaptableLinear(config.Width, config.OutputChannels, device, type);
        RegisterComponents();
        _slab = memory switch
        {
            MemoryMode.Streamed => new HostSlab(transformer_blocks.SelectMany(b => b.parameters()).Concat(single_transformer_blocks.SelectMany(b => b.parameters()))),
            MemoryMode.IdleOnHost => new HostSlab(modules().OfType<AdaptableLinear>().Where(l => l.IsOnHost).SelectMany(l => new Tensor[] { l.Weight, l.Bias })),
            _ => null,
        };
    }

    /// <summary>The shape that this transformer was built with.</summary>
    public FluxConfig Config { get; private set; }

    /// <summary>Where the weights lie.</summary>
    public Device Device => x_embedder.Weight.device;

    /// <summary>The type of the weights, in which the network computes.</summary>
    public ScalarType DType => x_embedder.Weight.dtype;

    /// <summary>A transformer with the weights of a checkpoint in diffusers' layout.</summary>
    /// <param name="config">The shape that the checkpoint's config tells.</param>
    /// <param name="weights">The checkpoint.</param>
    /// <param name="device">Where the weights shall lie. Null is the CPU.</param>
    /// <param name="dtype">The type that they are cast to. Null is float32.</param>
    /// <exception cref="ArgumentException">The config contradicts itself.</exception>
    /// <exception cref="WeightsException">The weights do not fit the config; lists all that are missing, unexpected or ill-shaped.</exception>
    /// <remarks>
    /// A conditional transformer may be loaded from plain FLUX weights: its <c>c_embedder</c> then starts at zero. Black Forest Labs' single files are known by their names and
    /// loaded too.
    /// Adapter tensors within the checkpoint (<c>lora_A</c>, <c>lora_B</c>) are left out: adapters come from files of their own.
    /// </remarks>
    public static FluxTransformer Load(FluxConfig config, WeightSource weights, Device? device = null, ScalarType? dtype = null) =>
        Load(config, weights, device, dtype, MemoryMode.Resident);

    /// <summary>The same, with weights where the mode says.</summary>
    /// <exception cref="NotSupportedException">Eight bits are wanted, and the GPU cannot do them.</exception>
    internal static FluxTransformer Load(FluxConfig config, WeightSource weights, Device? device, ScalarType? dtype, MemoryMode memory, bool float8 = false)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        config.Validate();
        if (FluxSingleFile.Of(weights) is { } single)
        {
            return Load(config, single, weights, device, dtype, memory, float8);
        }
        Dictionary<string, string> names = weights.Names.Where(n => !IsAdapter(n)).DistinctBy(BaseName).ToDictionary(BaseName);
        ExpectSize(config, weights, names);
        bool silent = config.Conditional && !names.ContainsKey("c_embedder.weight");
        FluxTransformer transformer = new(config with { Conditional = config.Conditional && !silent }, device, dtype, memory, float8);
        try
        {
            WeightLoader.Load(transformer, weights, IsAdapter, BaseName, float8 ? transformer.Float8WhenFilled() : null);
            if (silent)
            {
                transformer.AddSilentCondition();
            }
            transformer.Host(memory);
            return transformer;
        }
        catch
        {
            transformer.Dispose();
            throw;
        }
    }

    /// <summary>The shape that weights by the names of Black Forest Labs' single files tell by themselves; null for weights by other names, whose config lies beside them.</summary>
    /// <exception cref="WeightsException">A tensor is missing or has no shape that could be.</exception>
    public static FluxConfig? ConfigOf(WeightSource weights) => FluxSingleFile.Of(weights)?.Config();

    // No such file has a condition: the embedder starts at zero.
    private static FluxTransformer Load(FluxConfig config, FluxSingleFile single, WeightSource weights, Device? device, ScalarType? dtype, MemoryMode memory, bool float8)
    {
        single.Expect(config);
        FluxTransformer transformer = new(config with { Conditional = false }, device, dtype, memory, float8);
        try
        {
            WeightLoader.LoadPieces(transformer, weights, single.IsForeign, single.Pieces, float8 ? transformer.Float8WhenFilled() : null);
            if (config.Conditional)
            {
                transformer.AddSilentCondition();
            }
            transformer.Host(memory);
            return transformer;
        }
        catch
        {
            transformer.Dispose();
            throw;
        }
    }

    /// <summary>Whether the blocks' weights are in eight bits: see <see cref="ToFloat8"/>.</summary>
    public bool IsFloat8 { get; private set; }

    /// <summary>
    /// Rounds the weights of all blocks' linear layers, but for modulations, to eight bits (e4m3) with a factor for each output channel, and computes with them in eight bits
    /// from then on, for inference only. Halves their memory. There is no way back.
    /// </summary>
    /// <exception cref="NotSupportedException">The transformer is not on a GPU that can do it, or not in bfloat16; says what is missing.</exception>
    public void ToFloat8()
    {
        RequireFloat8();
        if (IsFloat8)
        {
            return;
        }
        foreach (AdaptableLinear[] layers in transformer_blocks.SelectMany(b => b.Large).Concat(single_transformer_blocks.SelectMany(b => b.Large)))
        {
            AdaptableLinear.ToFloat8(Device, layers);
        }
        IsFloat8 = true;
    }

    // While weights are loaded: each block lies on the host until it is filled, and then goes to the GPU in eight bits, so that neither ever holds the whole in its own type.
    private Action<string> Float8WhenFilled()
    {
        RequireFloat8();
        IsFloat8 = true;
        Dictionary<string, (Module Block, AdaptableLinear[][] Large, int Left)> waiting = transformer_blocks.Select((b, i) => ($"transformer_blocks.{i}", (Module)b, b.Large))
            .Concat(single_transformer_blocks.Select((b, i) => ($"single_transformer_blocks.{i}", (Module)b, b.Large)))
            .ToDictionary(b => b.Item1, b => (b.Item2, b.Large, b.Item2.parameters().Count()));
        return name =>
        {
            string key = string.Join('.', name.Split('.').Take(2));
            if (!waiting.TryGetValue(key, out (Module Block, AdaptableLinear[][] Large, int Left) block))
            {
                return;
            }
            waiting[key] = block with { Left = block.Left - 1 };
            if (block.Left > 1)
            {
                return;
            }
            foreach (AdaptableLinear[] layers in block.Large)
            {
                AdaptableLinear.ToFloat8(Device, layers);
            }
            foreach (Module part in block.Block.children().Where(p => p is not Modulation { Linear.IsOnHost: true }))
            {
                WeightLoader.Kept(part.to(Device));
            }
        };
    }

    private void RequireFloat8()
    {
        if (DType != ScalarType.BFloat16 || Device.type != DeviceType.CUDA)
        {
            throw new NotSupportedException($"Eight bits need a transformer in bfloat16 on an NVIDIA GPU; this one is in {DType} on {Device}.");
        }
        if (_doubles is not null || _singles is not null)
        {
            throw new NotSupportedException($"Eight bits need blocks that lie on the GPU, but these pass through it ({nameof(MemoryMode)}.{nameof(MemoryMode.Streamed)}).");
        }
        FluxKernels.RequireFloat8(x_embedder.Weight);
    }

    /// <summary>Predicts the velocity of the latents.</summary>
    /// <param name="latents">Noisy latents, packed 2 × 2: [batch, image, in channels].</param>
    /// <param name="condition">Condition latents, packed alike: [batch, image, in channels]. Given if and only if the transformer is conditional.</param>
    /// <param name="text">T5's last hidden state: [batch, text, joint attention dim].</param>
    /// <param name="pooled">CLIP's pooled output: [batch, pooled projection dim].</param>
    /// <param name="sigma">Noise level in 0…1: [batch]. It is multiplied by 1000 inside.</param>
    /// <param name="guidance">Distilled guidance, as it is (3.5): [batch]. Given if and only if the transformer has a guidance embedding.</param>
    /// <param name="imageIds">Positions of the image tokens: [image, 3].</param>
    /// <param name="textIds">Positions of the text tokens, zeros for FLUX: [text, 3].</param>
    /// <returns>[batch, image, out channels], in the type of the weights.</returns>
    /// <exception cref="ArgumentException">An input is missing, not wanted, or its shape does not fit.</exception>
    /// <remarks>Inputs are cast to the type of the weights and must lie on their device.</remarks>
    public Tensor forward(Tensor latents, Tensor? condition, Tensor text, Tensor pooled, Tensor sigma, Tensor? guidance, Tensor imageIds, Tensor textIds) =>
        forward(latents, condition, text, pooled, sigma, guidance, imageIds, textIds, afterBlock: null);

    /// <summary>
    /// Predicts as above, and shows what the image tokens have become after each block, double ones first, numbered from 1: [batch, image, width].
    /// What is shown lives only while it is shown.
    /// </summary>
    internal Tensor forward(
        Tensor latents,
        Tensor? condition,
        Tensor text,
        Tensor pooled,
        Tensor sigma,
        Tensor? guidance,
        Tensor imageIds,
        Tensor textIds,
        Action<int, Tensor>? afterBlock)
    {
        CheckInputs(latents, condition, text, pooled, sigma, guidance, imageIds, textIds);
        using FluxSteps one = Prepare(condition, text, pooled, sigma, guidance, imageIds, textIds);
        return forward(latents, one, 0, afterBlock);
    }

    /// <summary>Computes once what all steps of a generation share; the caller disposes it.</summary>
    /// <param name="condition">[batch, image, in channels]. Given if and only if the transformer is conditional.</param>
    /// <param name="text">[batch, text, joint attention dim].</param>
    /// <param name="pooled">[batch, pooled projection dim].</param>
    /// <param name="sigma">Noise levels, step by step: [steps · batch].</param>
    /// <param name="guidance">[batch]. Given if and only if the transformer has a guidance embedding.</param>
    /// <param name="imageIds">[image, 3].</param>
    /// <param name="textIds">[text, 3].</param>
    /// <param name="blockCache">Threshold of a <see cref="FirstBlockCache"/>; 0 computes all blocks in all steps.</param>
    internal FluxSteps Prepare(
        Tensor? condition, Tensor text, Tensor pooled, Tensor sigma, Tensor? guidance, Tensor imageIds, Tensor textIds, float blockCache = 0)
    {
        using DisposeScope scope = NewDisposeScope();
        ScalarType type = DType;
        long steps = sigma.shape[0] / pooled.shape[0];
        Tensor? embedded = c_embedder?.forward(condition!.to(type)); // [batch, image, width]
        Tensor words = context_embedder.forward(text.to(type)); // [batch, text, width]

        // Rounded to the network's type before the multiplication, as in the runs that the published weights were trained with.
        Tensor? told = guidance is null ? null : guidance.to(type).repeat(steps) * 1000;
        Tensor embedding = time_text_embed.forward(sigma.to(type) * 1000, told, pooled.to(type).repeat(steps, 1)); // [steps · batch, width]
        Tensor turns = RotaryEmbedding.Turns(cat([textIds, imageIds], dim: 0), Config.AxesDimsRope); // [tokens, 1, head / 2], complex
        return new FluxSteps(
            words.DetachFromDisposeScope(), embedded?.DetachFromDisposeScope(), turns.DetachFromDisposeScope(), functional.silu(embedding).DetachFromDisposeScope())
        {
            Cache = blockCache > 0 ? new FirstBlockCache(blockCache) : null,
        };
    }

    /// <summary>The velocity of the latents in one step: as above, with what <see cref="Prepare"/> gave.</summary>
    internal Tensor forward(Tensor latents, FluxSteps steps, int step, Action<int, Tensor>? afterBlock = null)
    {
        if (_doubles is null && _singles is null)
        {
            return Step(latents, steps, step, afterBlock);
        }
        if (is_grad_enabled())
        {
            throw new InvalidOperationException($"Blocks that pass through the GPU ({nameof(MemoryMode)}.{nameof(MemoryMode.Streamed)}) know no gradient. Load the model as {nameof(MemoryMode.Resident)} to train.");
        }
        // There are two places for blocks, whoever draws.
        lock (_passing)
        {
            return Step(latents, steps, step, afterBlock);
        }
    }

    private Tensor Step(Tensor latents, FluxSteps steps, int step, Action<int, Tensor>? afterBlock)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor image = x_embedder.forward(latents.to(DType)); // [batch, image, width]
        if (steps.Condition is not null)
        {
            image = image + steps.Condition;
        }
        if (steps.Cache is { } cache && transformer_blocks.Count > 0)
        {
            (Tensor after, Tensor words) = FirstBlock(image, steps, step);
            image = cache.Apply(image, after, rows => OfRows(after, words, steps, step, rows));
        }
        else
        {
            image = Blocks(image, steps.Words, steps, step, first: 0, afterBlock);
        }

        // Here the scale comes first, unlike everywhere else.
        Tensor[] mod = steps.Of(norm_out, step);
        return proj_out.forward(Modulation.Apply(image, shift: mod[1], scale: mod[0])).MoveToOuterDisposeScope();
    }

    // Lets what lies on the host pass through the device, once all weights are there.
    private void Host(MemoryMode memory)
    {
        _slab?.Pin(Device);
        if (memory == MemoryMode.Streamed)
        {
            // The places' own modulations stay empty on the host.
            bool InModulation(string name) => name.StartsWith("norm", StringComparison.Ordinal);
            _doubles = transformer_blocks.Count == 0 ? null
                : new HostedBlocks<DoubleStreamBlock>(transformer_blocks, Device, () => new DoubleStreamBlock(Config, Device, DType, true), InModulation, (host, place) => place.StandFor(host));
            _singles = single_transformer_blocks.Count == 0 ? null
                : new HostedBlocks<SingleStreamBlock>(single_transformer_blocks, Device, () => new SingleStreamBlock(Config, Device, DType, true), InModulation, (host, place) => place.StandFor(host));
        }
    }

    // The blocks from a number on; gives the image tokens after the last one: [batch, image, width].
    private Tensor Blocks(Tensor image, Tensor words, FluxSteps steps, int step, int first, Action<int, Tensor>? afterBlock)
    {
        (long imageTokens, long textTokens) = (image.shape[1], words.shape[1]);
        (Tensor givenImage, Tensor givenWords) = (image, words);
        int blocks = first;
        foreach (DoubleStreamBlock block in _doubles?.Run(first) ?? transformer_blocks.Skip(first))
        {
            using Tensor? lastImage = ReferenceEquals(image, givenImage) ? null : image;
            using Tensor? lastWords = ReferenceEquals(words, givenWords) ? null : words;
            (image, words) = block.forward(image, words, steps, step);
            afterBlock?.Invoke(++blocks, image);
        }

        Tensor joined = cat([words, image], dim: 1); // [batch, tokens, width]
        foreach (SingleStreamBlock block in _singles?.Run() ?? single_transformer_blocks)
        {
            using Tensor last = joined;
            joined = block.forward(joined, steps, step);
            afterBlock?.Invoke(++blocks, joined.narrow(1, textTokens, imageTokens));
        }
        return joined.narrow(1, textTokens, imageTokens);
    }

    private (Tensor Image, Tensor Words) FirstBlock(Tensor image, FluxSteps steps, int step)
    {
        // Blocks that pass through the GPU may be written over once the loop goes on.
        foreach (DoubleStreamBlock block in _doubles?.Run() ?? transformer_blocks)
        {
            return block.forward(image, steps.Words, steps, step);
        }
        throw new InvalidOperationException("There is no block.");
    }

    private Tensor OfRows(Tensor image, Tensor words, FluxSteps steps, int step, long[] rows)
    {
        if (rows.Length == image.shape[0])
        {
            return Blocks(image, words, steps, step, first: 1, afterBlock: null);
        }
        using DisposeScope scope = NewDisposeScope();
        Tensor index = tensor(rows).to(image.device);
        return Blocks(image.index_select(0, index), words.index_select(0, index), steps.Only(index), step, first: 1, afterBlock: null).MoveToOuterDisposeScope();
    }

    private void CheckInputs(
        Tensor latents, Tensor? condition, Tensor text, Tensor pooled, Tensor sigma, Tensor? guidance, Tensor imageIds, Tensor textIds)
    {
        if (condition is null == Config.Conditional)
        {
            throw new ArgumentException(
                Config.Conditional ? "The transformer is conditional, so a condition is needed, but none was given."
                    : "The transformer has no c_embedder, so it cannot take a condition, but one was given. Build it with Conditional = true.",
                nameof(condition));
        }
        if (guidance is null == Config.GuidanceEmbeds)
        {
            throw new ArgumentException(
                Config.GuidanceEmbeds ? "The transformer has a guidance embedding, so guidance is needed, but none was given."
                    : "The transformer has no guidance embedding, so it cannot take guidance, but some was given. Pass null.",
                nameof(guidance));
        }
        (long batch, long image, long words) = (latents.shape.ElementAtOrDefault(0), latents.shape.ElementAtOrDefault(1), text.shape.ElementAtOrDefault(1));
        Fits(latents, nameof(latents), batch, image, Config.InChannels);
        Fits(text, nameof(text), batch, words, Config.JointAttentionDim);
        Fits(pooled, nameof(pooled), batch, Config.PooledProjectionDim);
        Fits(sigma, nameof(sigma), batch);
        Fits(imageIds, nameof(imageIds), image, 3);
        Fits(textIds, nameof(textIds), words, 3);
        if (condition is not null)
        {
            Fits(condition, nameof(condition), batch, image, Config.InChannels);
        }
        if (guidance is not null)
        {
            Fits(guidance, nameof(guidance), batch);
        }
    }

    private static void Fits(Tensor tensor, string name, params long[] shape)
    {
        if (!tensor.shape.SequenceEqual(shape))
        {
            throw new ArgumentException($"Input {name} must have shape [{string.Join(", ", shape)}], but has [{string.Join(", ", tensor.shape)}].", name);
        }
    }

    /// <summary>The linear layers by module name: where adapters go.</summary>
    internal Dictionary<string, AdaptableLinear> Linears() =>
        named_modules().Where(m => m.module is AdaptableLinear).ToDictionary(m => m.name, m => (AdaptableLinear)m.module);

    private static bool IsAdapter(string name) => name.Contains(".lora_", StringComparison.Ordinal);

    /// <summary>A checkpoint saved with adapters in place calls the layers beneath them by a longer name.</summary>
    private static string BaseName(string name) => name.Replace(".base_layer.", ".", StringComparison.Ordinal);

    /// <summary>Compares the sizes that decide over memory with the checkpoint's, before any memory is taken.</summary>
    private static void ExpectSize(FluxConfig config, WeightSource weights, Dictionary<string, string> names)
    {
        void Expect(string name, string reason, params long[] shape) => weights.Expect(names.GetValueOrDefault(name, name), reason, shape);
        Expect("x_embedder.weight", "num_attention_heads · attention_head_dim, in_channels", config.Width, config.InChannels);
        Expect("context_embedder.weight", "num_attention_heads · attention_head_dim, joint_attention_dim", config.Width, config.JointAttentionDim);
        if (config.NumLayers > 0)
        {
            Expect($"transformer_blocks.{config.NumLayers - 1}.attn.to_q.weight", "last of num_layers", config.Width, config.Width);
        }
        if (config.NumSingleLayers > 0)
        {
            Expect($"single_transformer_blocks.{config.NumSingleLayers - 1}.attn.to_q.weight", "last of num_single_layers", config.Width, config.Width);
        }
    }

    /// <summary>Frees weights and places.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _doubles?.Dispose();
            _singles?.Dispose();
            _slab?.Dispose();
        }
        base.Dispose(disposing);
    }

    private void AddSilentCondition()
    {
        c_embedder = new AdaptableLinear(Config.InChannels, Config.Width, Device, DType);
        c_embedder.InitializeZero();
        register_module(nameof(c_embedder), c_embedder);
        Config = Config with { Conditional = true };
    }

    private void Initialize(long seed)
    {
        using Generator generator = new((ulong)seed, CPU);
        foreach (AdaptableLinear linear in modules().OfType<AdaptableLinear>())
        {
            linear.Initialize(generator);
        }
        foreach (Modulation modulation in modules().OfType<Modulation>())
        {
            modulation.Linear.InitializeZero();
        }
        proj_out.InitializeZero();
        c_embedder?.InitializeZero();
    }
}
