using Dsd.Models.Weights;

namespace Dsd.Models.Autoencoder;

/// <summary>The shape of an <see cref="AutoencoderKL"/>: the fields of <c>vae/config.json</c> that change what is computed.</summary>
public sealed record VaeConfig : IModelConfig
{
    /// <summary>Channels of a picture going in. FLUX: 3.</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Channels of a picture coming out. FLUX: 3.</summary>
    public int OutChannels { get; init; } = 3;

    /// <summary>Channels of the latent. FLUX: 16.</summary>
    public required int LatentChannels { get; init; }

    /// <summary>Channels of each level, from the picture's resolution down; each level but the last halves it. FLUX: 128, 256, 512, 512.</summary>
    public required IReadOnlyList<int> BlockOutChannels { get; init; }

    /// <summary>Residual blocks a level in the encoder; the decoder has one more. FLUX: 2.</summary>
    public required int LayersPerBlock { get; init; }

    /// <summary>Groups of every group normalisation. FLUX: 32.</summary>
    public int NormNumGroups { get; init; } = 32;

    /// <summary>Whether the middle block attends over all places. FLUX: true.</summary>
    public bool MidBlockAddAttention { get; init; } = true;

    /// <summary>Whether a 1 × 1 convolution follows the encoder. FLUX: false.</summary>
    public bool UseQuantConv { get; init; } = true;

    /// <summary>Whether a 1 × 1 convolution precedes the decoder. FLUX: false.</summary>
    public bool UsePostQuantConv { get; init; } = true;

    /// <summary>What a shifted latent is multiplied by before diffusion. FLUX: 0.3611.</summary>
    public required float ScalingFactor { get; init; }

    /// <summary>What is taken from a latent before diffusion; null is none. FLUX: 0.1159.</summary>
    public float? ShiftFactor { get; init; }

    /// <summary>Activation function; only <c>silu</c> is known.</summary>
    public string ActFn { get; init; } = "silu";

    /// <summary>Pixels a side that become one latent place: 8 for FLUX's four levels.</summary>
    public int Factor => 1 << (BlockOutChannels.Count - 1);

    /// <summary>Checks the fields against each other.</summary>
    /// <exception cref="ArgumentException">Names the field, what it may be and what it is.</exception>
    public void Validate()
    {
        if (BlockOutChannels.Count is < 1 or > 8)
        {
            throw new ArgumentException($"VAE config: block_out_channels must name 1 to 8 levels, but names {BlockOutChannels.Count}.");
        }
        foreach (int channels in BlockOutChannels)
        {
            if (channels < 1 || channels % NormNumGroups != 0)
            {
                throw new ArgumentException(
                    $"VAE config: every entry of block_out_channels must be a multiple of norm_num_groups ({NormNumGroups}), but one is {channels}.");
            }
        }
        if (LatentChannels is < 1 or > 1024 || InChannels is < 1 or > 16 || OutChannels is < 1 or > 16 || LayersPerBlock is < 1 or > 16)
        {
            throw new ArgumentException(
                $"VAE config: latent_channels {LatentChannels}, in_channels {InChannels}, out_channels {OutChannels} or layers_per_block "
                    + $"{LayersPerBlock} is out of range.");
        }
        if (!float.IsFinite(ScalingFactor) || ScalingFactor == 0 || ShiftFactor is { } shift && !float.IsFinite(shift))
        {
            throw new ArgumentException(
                $"VAE config: scaling_factor must be finite and not 0, shift_factor finite, but they are {ScalingFactor} and {ShiftFactor}.");
        }
        if (ActFn != "silu")
        {
            throw new ArgumentException($"VAE config: act_fn must be silu, but is {ActFn}.");
        }
    }
}
