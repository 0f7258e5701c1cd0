using Dsd.Models.Acceleration;
using Dsd.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Flux;

// Field names in this file are the checkpoint's keys. Dimension words: image and text are numbers of tokens of the two streams,
// tokens = text + image, width = heads · head.

/// <summary>Rotary position embedding: pairs of channels are turned by an angle that grows with the position.</summary>
internal static class RotaryEmbedding
{
    private const double Theta = 10000;

    /// <summary>Turns as complex numbers [tokens, 1, head / 2] for position ids [tokens, axes].</summary>
    public static Tensor Turns(Tensor ids, IReadOnlyList<int> axesDims)
    {
        using DisposeScope scope = NewDisposeScope();
        // In float32 the angles of far positions would lose digits; the reference computes them in float64 and rounds the result.
        Tensor positions = ids.to(ScalarType.Float64);
        Tensor[] perAxis = axesDims
            .Select((dim, axis) =>
            {
                Tensor exponents = arange(0, dim, 2, dtype: ScalarType.Float64, device: ids.device) / Math.Max(dim, 1);
                Tensor frequencies = 1 / pow(Theta, exponents); // [dim / 2]
                return outer(positions[TensorIndex.Colon, axis], frequencies); // [tokens, dim / 2]
            })
            .ToArray();
        Tensor angles = cat(perAxis, dim: 1); // [tokens, head / 2]
        return complex(angles.cos().to(ScalarType.Float32), angles.sin().to(ScalarType.Float32)).unsqueeze(1).MoveToOuterDisposeScope();
    }

    /// <summary>Turns neighbouring pairs of channels of x [batch, tokens, heads, head], in float32.</summary>
    public static Tensor Apply(Tensor x, Tensor turns)
    {
        Tensor pairs = x.to(ScalarType.Float32).unflatten(3, x.shape[3] / 2, 2).view_as_complex(); // [batch, tokens, heads, head / 2]
        return (pairs * turns).view_as_real().flatten(3, 4).to(x.dtype);
    }
}

/// <summary>Root-mean-square normalisation over the last dimension, computed in float32.</summary>
internal sealed class RmsNorm : Module<Tensor, Tensor>
{
    /// <summary>What is added to the mean square.</summary>
    public const double Epsilon = 1e-6;

    private readonly Parameter weight;

    /// <summary>[channels].</summary>
    public Parameter Weight => weight;

    public RmsNorm(long channels, Device? device, ScalarType dtype)
        : base(nameof(RmsNorm))
    {
        weight = Parameter(ones(channels, dtype: dtype, device: device));
        weight.DetachFromDisposeScope();
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        if (FusedRmsNorm.Suits(x))
        {
            return FusedRmsNorm.Apply(x, weight, Epsilon);
        }
        if (x.device_type == DeviceType.CUDA && x.dtype == ScalarType.BFloat16 && x.requires_grad)
        {
            return Brief(x);
        }
        Tensor wide = x.to(ScalarType.Float32);
        Tensor scale = rsqrt(wide.square().mean([-1], keepdim: true) + Epsilon);
        return (wide * scale * weight.to(ScalarType.Float32)).to(x.dtype);
    }

    /// <summary>
    /// The same in the type of x, but for the mean: for training, where memory traffic decides. It moves less than half as many bytes, forward and backward;
    /// what it rounds more often, it rounds as x itself is rounded.
    /// </summary>
    internal Tensor Brief(Tensor x)
    {
        Tensor scale = rsqrt(x.square().mean([-1], keepdim: true, type: ScalarType.Float32) + Epsilon).to(x.dtype);
        return x * scale * weight;
    }
}

/// <summary>Two linear layers with SiLU between them.</summary>
internal sealed class EmbeddingMlp : Module<Tensor, Tensor>
{
    private readonly AdaptableLinear linear_1;
    private readonly AdaptableLinear linear_2;

    public EmbeddingMlp(long inputs, long width, Device? device, ScalarType dtype)
        : base(nameof(EmbeddingMlp))
    {
        linear_1 = new AdaptableLinear(inputs, width, device, dtype);
        linear_2 = new AdaptableLinear(width, width, device, dtype);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => linear_2.forward(functional.silu(linear_1.forward(x)));
}

/// <summary>One vector of noise level, guidance and the prompt's pooled embedding, which steers every normalisation.</summary>
internal sealed class TimeTextEmbedding : Module
{
    private const int Frequencies = 128;
    private readonly EmbeddingMlp timestep_embedder;
    private readonly EmbeddingMlp? guidance_embedder;
    private readonly EmbeddingMlp text_embedder;

    public TimeTextEmbedding(FluxConfig config, Device? device, ScalarType dtype)
        : base(nameof(TimeTextEmbedding))
    {
        timestep_embedder = new EmbeddingMlp(2 * Frequencies, config.Width, device, dtype);
        guidance_embedder = config.GuidanceEmbeds ? new EmbeddingMlp(2 * Frequencies, config.Width, device, dtype) : null;
        text_embedder = new EmbeddingMlp(config.PooledProjectionDim, config.Width, device, dtype);
        RegisterComponents();
    }

    public Tensor forward(Tensor timestep, Tensor? guidance, Tensor pooled)
    {
        Tensor embedding = timestep_embedder.forward(Sinusoid(timestep).to(pooled.dtype)); // [batch, width]
        if (guidance_embedder is not null)
        {
            embedding = embedding + guidance_embedder.forward(Sinusoid(guidance!).to(pooled.dtype));
        }
        return embedding + text_embedder.forward(pooled);
    }

    /// <summary>Cosines, then sines, of the value at 128 frequencies from 1 down to 1 / 10000, in float32.</summary>
    private static Tensor Sinusoid(Tensor values)
    {
        Tensor exponents = arange(0, Frequencies, dtype: ScalarType.Float32, device: values.device) * (-Math.Log(10000) / Frequencies);
        Tensor angles = values.to(ScalarType.Float32).unsqueeze(1) * exponents.exp(); // [batch, 128]
        return cat([angles.cos(), angles.sin()], dim: 1); // [batch, 256]
    }
}

/// <summary>The linear layer that makes shifts, scales and gates of the embedding vector, which has passed through SiLU already: once for all blocks.</summary>
internal sealed class Modulation : Module
{
    private const float Epsilon = 1e-6f;
    private readonly AdaptableLinear linear;
    private readonly int _parts;

    public Modulation(long width, int parts, Device? device, ScalarType dtype, bool onHost = false)
        : base(nameof(Modulation))
    {
        linear = new AdaptableLinear(width, parts * width, onHost ? CPU : device, dtype) { IsOnHost = onHost };
        _parts = parts;
        RegisterComponents();
    }

    public AdaptableLinear Linear => linear;

    /// <summary>The layers whose results the gates let through, in the order of the gates.</summary>
    public AdaptableLinear[] Gated { get; init; } = [];

    /// <summary>What the linear layer gave for a batch, [batch, parts · width], as tensors [batch, 1, width].</summary>
    public Tensor[] Parts(Tensor together) => together.unsqueeze(1).chunk(_parts, dim: -1);

    /// <summary>Layer normalisation without weights of its own, then scale and shift.</summary>
    public static Tensor Apply(Tensor x, Tensor shift, Tensor scale) => BlockKernels.Suit(x)
        ? BlockKernels.Modulate(x, shift, scale, Epsilon)
        : addcmul(shift, functional.layer_norm(x, [x.shape[^1]], eps: Epsilon), 1 + scale, 1);

    /// <summary>The same in eight bits.</summary>
    public static Activation ApplyFloat8(Tensor x, Tensor shift, Tensor scale) => new(BlockKernels.ModulateFloat8(x, shift, scale, Epsilon), x.shape);
}

/// <summary>What a modulation says to one sublayer of a block: tensors [batch, 1, width].</summary>
internal readonly record struct Modulated(Tensor Shift, Tensor Scale, Tensor Gate)
{
    /// <summary>The gated layer's product with the gate in it, where there is one.</summary>
    public GatedProduct? Folded { get; init; }

    /// <summary>The normalised, scaled and shifted stream x [batch, tokens, width], for the layers that take it: in eight bits where all of them do.</summary>
    public Activation Apply(Tensor x, params ReadOnlySpan<AdaptableLinear> layers)
    {
        foreach (AdaptableLinear layer in layers)
        {
            if (!layer.TakesFloat8)
            {
                return Modulation.Apply(x, Shift, Scale);
            }
        }
        return Modulation.ApplyFloat8(x, Shift, Scale);
    }

    /// <summary><c>x + gate · layer(made)</c>.</summary>
    /// <param name="x">The stream: [batch, tokens, width].</param>
    /// <param name="layer">The sublayer's last layer.</param>
    /// <param name="made">What it takes: [batch, tokens, inputs].</param>
    public Tensor Add(Tensor x, AdaptableLinear layer, Activation made)
    {
        if (Folded is { } folded)
        {
            return layer.AddTo(x, folded, made);
        }
        Tensor given = layer.forward(made);
        return BlockKernels.Suit(x) ? BlockKernels.GatedResidual(x, Gate, given) : addcmul(x, Gate, given, 1);
    }
}

/// <summary>The first half of a feed-forward network: a linear layer and GELU in its tanh form.</summary>
internal sealed class GeluProjection : Module<Tensor, Tensor>
{
    private readonly AdaptableLinear proj;

    public GeluProjection(long inputs, long outputs, Device? device, ScalarType dtype)
        : base(nameof(GeluProjection))
    {
        proj = new AdaptableLinear(inputs, outputs, device, dtype);
        RegisterComponents();
    }

    public AdaptableLinear Projection => proj;

    public override Tensor forward(Tensor x) => proj.Gelu(x);
}

/// <summary>A feed-forward network four times as wide inside as outside.</summary>
internal sealed class FeedForward : Module<Tensor, Tensor>
{
    private readonly ModuleList<Module<Tensor, Tensor>> net;

    public FeedForward(long width, Device? device, ScalarType dtype)
        : base(nameof(FeedForward))
    {
        // The middle one stands where the published model has a dropout of zero, so that the last keeps its number.
        net = ModuleList<Module<Tensor, Tensor>>(
            new GeluProjection(width, 4 * width, device, dtype), Identity(), new AdaptableLinear(4 * width, width, device, dtype));
        RegisterComponents();
    }

    public AdaptableLinear In => ((GeluProjection)net[0]).Projection;

    public AdaptableLinear Out => (AdaptableLinear)net[2];

    public override Tensor forward(Tensor x) => Out.forward(In.Gelu(x));
}

/// <summary>Attention of heads that lie side by side in each token, as linear layers make and take them: what is done to them before needs no copy.</summary>
internal static class Heads
{
    /// <summary>[batch, tokens, heads, head] of [batch, tokens, width].</summary>
    public static Tensor Split(Tensor x, int heads) => x.unflatten(2, heads, x.shape[2] / heads);

    /// <summary>
    /// Queries, keys and values of all tokens, each [batch, tokens, heads, head], of streams that follow one another: queries and keys normalised and turned.
    /// </summary>
    public static (Tensor Q, Tensor K, Tensor V) Place(int heads, Tensor rotary, params ReadOnlySpan<StreamHeads> streams)
    {
        Tensor like = streams[0].Q;
        bool kernels = BlockKernels.Suit(like) && BlockKernels.SuitHeads(like.shape[2] / heads);
        if (kernels && streams.Length == 1)
        {
            // A stream alone has its tokens in their places: nothing has to move.
            StreamHeads only = streams[0];
            BlockKernels.Turn(only.Q, only.K, (only.NormQ.Weight, only.NormK.Weight, RmsNorm.Epsilon), rotary, heads);
            return (Split(only.Q, heads), Split(only.K, heads), Split(only.V, heads));
        }
        if (kernels)
        {
            long tokens = rotary.shape[0];
            Tensor Room() => empty([like.shape[0], tokens, heads, like.shape[2] / heads], like.dtype, like.device);
            (Tensor Q, Tensor K, Tensor V) room = (Room(), Room(), Room());
            long first = 0;
            foreach (StreamHeads stream in streams)
            {
                BlockKernels.Place(stream.Q, stream.K, stream.V, (stream.NormQ.Weight, stream.NormK.Weight, RmsNorm.Epsilon), rotary, room, first);
                first += stream.Q.shape[1];
            }
            return room;
        }
        List<Tensor> q = [], k = [], v = [];
        foreach (StreamHeads stream in streams)
        {
            q.Add(stream.NormQ.forward(Split(stream.Q, heads)));
            k.Add(stream.NormK.forward(Split(stream.K, heads)));
            v.Add(Split(stream.V, heads));
        }
        return (RotaryEmbedding.Apply(Joined(q), rotary), RotaryEmbedding.Apply(Joined(k), rotary), Joined(v));

        static Tensor Joined(List<Tensor> parts) => parts.Count == 1 ? parts[0] : cat(parts, dim: 1);
    }

    /// <summary>Attention over all tokens of q, k and v [batch, tokens, heads, head]: [batch, tokens, width].</summary>
    /// <remarks>
    /// On CUDA, PyTorch may leave attention to cuDNN, whose plan for the backward pass it keeps by the sizes and strides of q, k and v alone (2.11, MHA.cpp). So the
    /// gradient of the result must lie in memory in the same way in every block. It does where linear layers take the result, but not where it is joined with other
    /// channels: the gradient would then be a slice of theirs.
    /// </remarks>
    public static Tensor Attend(Tensor q, Tensor k, Tensor v) =>
        functional.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)).transpose(1, 2).flatten(2, 3);
}

/// <summary>What a stream's linear layers gave for attention, [batch, tokens, width] each, and the norms that its queries and keys take.</summary>
internal readonly record struct StreamHeads(Tensor Q, Tensor K, Tensor V, RmsNorm NormQ, RmsNorm NormK);
