using Dsd.Models.Acceleration;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Layers;

// Field names in this file are the checkpoint's keys.

/// <summary>The linear layer that makes shifts, scales and gates of the embedding vector, which has passed through SiLU already: once for all blocks.</summary>
internal sealed class Modulation : Module
{
    /// <summary>What is added to the variance.</summary>
    public const float Epsilon = 1e-6f;

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
        : shift.PlusProduct(functional.layer_norm(x, [x.shape[^1]], eps: Epsilon), scale.Plus(1));

    /// <summary>The gradient of x [batch, tokens, width] under <see cref="Apply"/>, plus what x gets from elsewhere.</summary>
    public static Tensor Gradient(Tensor x, Tensor shift, Tensor scale, Tensor gradient, Tensor beside) => BlockKernels.Suit(x)
        ? BlockKernels.ModulateGradient(x, scale, gradient, beside, Epsilon)
        : beside.Plus(PlainGradient.Of([x], inputs => [Apply(inputs[0], shift, scale)], [gradient])[0]);

    /// <summary>The same in eight bits.</summary>
    public static Activation ApplyFloat8(Tensor x, Tensor shift, Tensor scale) => new(BlockKernels.ModulateFloat8(x, shift, scale, Epsilon), x.shape);
}

/// <summary>Shift, scale and gate of one sublayer of a block: tensors [batch, 1, width].</summary>
internal readonly record struct Modulated(Tensor Shift, Tensor Scale, Tensor Gate)
{
    /// <summary>The gated layer's product with the gate in it, where there is one.</summary>
    public GatedProduct? Folded { get; init; }

    /// <summary>The three tensors.</summary>
    public Tensor[] Tensors => [Shift, Scale, Gate];

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
            return folded.AddTo(x, layer, made);
        }
        return Add(x, FastLinear.Forward(layer, made));
    }

    /// <summary><c>x + gate · given</c> of x and given [batch, tokens, width].</summary>
    public Tensor Add(Tensor x, Tensor given) => BlockKernels.Suit(x) ? BlockKernels.GatedResidual(x, Gate, given) : x.PlusProduct(Gate, given);
}
