using static TorchSharp.torch;

namespace Dsd.Models.Acceleration;

/// <summary>What linear layers take: channels of tokens [..., channels], in the network's type or in eight bits.</summary>
internal readonly struct Activation
{
    private readonly Tensor? _wide;
    private readonly Float8Rows? _narrow;

    /// <summary>Channels in the network's type.</summary>
    public Activation(Tensor wide)
    {
        (_wide, Shape) = (wide, wide.shape);
    }

    /// <summary>Channels of two tensors side by side, each [..., some channels] in the network's type.</summary>
    public Activation(Tensor first, Tensor second)
    {
        (_wide, Beside, Shape) = (first, second, [.. first.shape[..^1], first.shape[^1] + second.shape[^1]]);
    }

    /// <summary>Channels in eight bits, and the shape [..., channels] that their rows had.</summary>
    public Activation(Float8Rows narrow, params long[] shape)
    {
        (_narrow, Shape) = (narrow, shape);
    }

    /// <summary>[..., channels].</summary>
    public long[] Shape { get; }

    /// <summary>Where the channels come in two parts, the second one; <see cref="Wide"/> then is the first one alone.</summary>
    public Tensor? Beside { get; }

    /// <summary>The channels in the network's type.</summary>
    /// <exception cref="InvalidOperationException">They are there in eight bits only.</exception>
    public Tensor Wide => _wide ?? throw new InvalidOperationException("These channels are there in eight bits only, and this layer takes none.");

    /// <summary>The channels in eight bits: [all but channels, channels].</summary>
    public Float8Rows Narrow => _narrow ?? BlockKernels.ToFloat8(Wide.flatten(0, -2), Beside?.flatten(0, -2));

    /// <summary>Channels in the network's type.</summary>
    public static implicit operator Activation(Tensor wide) => new(wide);
}
