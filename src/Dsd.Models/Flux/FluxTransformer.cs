using Dsd.Models.Acceleration;
using Dsd.Models.Families;
using Dsd.Models.Layers;
using Dsd.Models.Lora;
using Dsd.Models.Residency;
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
/// <see cref="FluxCheckpoint"/> loads weights.
/// </remarks>
public sealed class FluxTransformer : DenoisingNetwork
{
    private readonly Modulation norm_out;
    private readonly AdaptableLinear x_embedder;
    private readonly AdaptableLinear? c_embedder;
    private readonly AdaptableLinear context_embedder;
    private readonly TimeTextEmbedding time_text_embed;
    private readonly ModuleList<DoubleStreamBlock> transformer_blocks;
    private readonly ModuleList<SingleStreamBlock> single_transformer_blocks;
    private readonly AdaptableLinear proj_out;
    private readonly FluxTapes _tapes;

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
        : this(config, new WeightPlaces(device, device), dtype)
    {
        FluxInitialization.Random(this, seed);
    }

    /// <summary>A transformer whose weights are whatever the memory held, for a caller that fills every one.</summary>
    internal FluxTransformer(FluxConfig config, WeightPlaces places, ScalarType? dtype)
        : base(nameof(FluxTransformer))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        ScalarType type = dtype ?? ScalarType.Float32;
        x_embedder = new AdaptableLinear(config.InChannels, config.Width, places.Ends, type);
        c_embedder = config.Conditional ? new AdaptableLinear(config.InChannels, config.Width, places.Ends, type) : null;
        context_embedder = new AdaptableLinear(config.JointAttentionDim, config.Width, places.Ends, type);
        time_text_embed = new TimeTextEmbedding(config, places.Ends, type);
        transformer_blocks = ModuleList(Enumerable.Range(0, config.NumLayers).Select(_ => new DoubleStreamBlock(config, places, type)).ToArray());
        single_transformer_blocks = ModuleList(Enumerable.Range(0, config.NumSingleLayers).Select(_ => new SingleStreamBlock(config, places, type)).ToArray());
        norm_out = new Modulation(config.Width, 2, places.Ends, type);
        proj_out = new AdaptableLinear(config.Width, config.OutputChannels, places.Ends, type);
        _tapes = new FluxTapes(this);
        RegisterComponents();
    }

    /// <summary>The shape that this transformer was built with.</summary>
    public FluxConfig Config { get; }

    /// <summary>Where the weights lie.</summary>
    public override Device Device => x_embedder.Weight.device;

    /// <summary>The type of the weights, in which the network computes.</summary>
    public override ScalarType DType => x_embedder.Weight.dtype;

    /// <inheritdoc/>
    public override bool IsConditional => Config.Conditional;

    /// <inheritdoc/>
    public override IReadOnlyList<string> AdapterTargets => LoraOptions.AllTargets;

    /// <summary>Whether the blocks' weights are in eight bits.</summary>
    public override bool IsFloat8 => Doubles.Concat<FluxBlock>(Singles).Any(b => b.Large[0][0].HoldsFloat8);

    /// <inheritdoc/>
    public override int Blocks => Config.NumLayers + Config.NumSingleLayers;

    /// <inheritdoc/>
    public override int RecomputedBlocks
    {
        get => _tapes.Blocks;
        set => _tapes.Blocks = value;
    }

    /// <inheritdoc/>
    internal override bool WritesGradients { get => _tapes.Writes; set => _tapes.Writes = value; }

    /// <inheritdoc/>
    public override void Backward(Tensor loss) => _tapes.Backward(loss);

    /// <summary>Shows the stream after a block to a loss that looks within, in each forward pass from now on.</summary>
    /// <param name="block">Which block, from 0: those with two streams come first, then those over the joined stream.</param>
    /// <param name="look">
    /// Given the stream [batch, tokens, width]: the image's alone where there are two, else text and image, whose tokens come last. It lives only
    /// during the call. Null shows it no more.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such block.</exception>
    public void Show(int block, Action<Tensor>? look)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(block);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(block, Doubles.Count + Singles.Count);
        FluxBlock shown = block < Doubles.Count ? Doubles[block] : Singles[block - Doubles.Count];
        shown.Shown = look;
    }

    /// <summary>The blocks with separate streams.</summary>
    internal IList<DoubleStreamBlock> Doubles => transformer_blocks;

    /// <summary>The blocks over the joined stream.</summary>
    internal IList<SingleStreamBlock> Singles => single_transformer_blocks;

    /// <summary>Where blocks lie that pass through the device; null where all of them stay on it.</summary>
    internal FluxResidency? Residency { get; set; }

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
    /// <exception cref="InvalidOperationException">A gradient is wanted, and blocks that pass through the device keep their graphs.</exception>
    /// <remarks>Inputs are cast to the type of the weights and must lie on their device.</remarks>
    public Tensor forward(Tensor latents, Tensor? condition, Tensor text, Tensor pooled, Tensor sigma, Tensor? guidance, Tensor imageIds, Tensor textIds)
    {
        FluxInputs.Check(Config, latents, condition, text, pooled, sigma, guidance, imageIds, textIds);
        using FluxConditioning conditioning = Embed(condition, text, pooled, sigma, guidance, imageIds, textIds);
        return forward(latents, conditioning, step: 0);
    }

    /// <summary>Embeds all that the latents have no part in, once for all steps of a generation; the caller disposes it.</summary>
    /// <param name="condition">[batch, image, in channels]. Given if and only if the transformer is conditional.</param>
    /// <param name="text">[batch, text, joint attention dim].</param>
    /// <param name="pooled">[batch, pooled projection dim].</param>
    /// <param name="sigma">Noise levels, step by step: [steps · batch].</param>
    /// <param name="guidance">[batch]. Given if and only if the transformer has a guidance embedding.</param>
    /// <param name="imageIds">[image, 3].</param>
    /// <param name="textIds">[text, 3].</param>
    /// <param name="blockCache">Threshold of a <see cref="FirstBlockCache"/>; 0 computes all blocks in all steps.</param>
    internal FluxConditioning Embed(
        Tensor? condition, Tensor text, Tensor pooled, Tensor sigma, Tensor? guidance, Tensor imageIds, Tensor textIds, float blockCache = 0)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor? conditionTokens = c_embedder?.forward(condition!.to(DType)); // [batch, image, width]
        Tensor textTokens = context_embedder.forward(text.to(DType)); // [batch, text, width]

        // Noise level and guidance are rounded to the network's type before the multiplication, as in the runs that the published weights come from.
        long steps = sigma.shape[0] / pooled.shape[0];
        Tensor? strength = guidance is null ? null : guidance.to(DType).repeat(steps).Times(1000);
        Tensor vec = time_text_embed.forward(sigma.to(DType).Times(1000), strength, pooled.to(DType).repeat(steps, 1)); // [steps · batch, width]
        Tensor rotary = RotaryEmbedding.Of(cat([textIds, imageIds], dim: 0), Config.AxesDimsRope); // [tokens, 1, head / 2], complex
        return new FluxConditioning(textTokens, conditionTokens, rotary, functional.silu(vec), blockCache);
    }

    /// <summary>The velocity of the latents in one step.</summary>
    /// <param name="latents">[batch, image, in channels].</param>
    /// <param name="given">What <see cref="Embed"/> gave.</param>
    /// <param name="step">Which of its steps this is, from 0.</param>
    /// <returns>[batch, image, out channels], in the type of the weights.</returns>
    internal Tensor forward(Tensor latents, FluxConditioning given, int step)
    {
        using IDisposable? turn = Residency?.Enter(keepsGraphs: RecomputedBlocks < Blocks);
        using DisposeScope scope = NewDisposeScope();
        FluxPass pass = given.Pass(step, _tapes.Begin(given));

        Tensor image = x_embedder.forward(latents.to(DType)); // [batch, image, width]
        image = given.Condition is null ? image : image.Plus(given.Condition);
        Tensor text = given.Text.alias(); // [batch, text, width]

        foreach (DoubleStreamBlock block in pass.Through(Residency?.Doubles ?? Doubles))
        {
            using Tensor imageBefore = image, textBefore = text;
            (image, text) = pass.Run(block, image, text);
            (image, text) = pass.LeaveOut(imageBefore, image, text);
        }

        Tensor joined = cat([text, image], dim: 1); // [batch, tokens, width]
        foreach (SingleStreamBlock block in pass.Through(Residency?.Singles ?? Singles))
        {
            using Tensor before = joined;
            joined = pass.Run(block, joined, text.shape[1]);
        }
        image = pass.Complete(joined, text.shape[1]); // [batch, image, width]

        // Here the scale comes first, unlike everywhere else.
        Tensor[] last = pass.Parts(norm_out);
        return proj_out.forward(Modulation.Apply(image, shift: last[1], scale: last[0])).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the weights, wherever they lie.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _tapes.Dispose();
            Residency?.Dispose();
        }
        base.Dispose(disposing);
    }
}
