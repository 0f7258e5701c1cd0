using Dsd.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Models.Autoencoder;

/// <summary>The variational autoencoder between pictures and FLUX's latents. Field names are the checkpoint's keys (diffusers' layout).</summary>
/// <remarks>Pictures are [batch, 3, height, width] in −1…1; latents [batch, latent channels, height / factor, width / factor].</remarks>
public sealed class AutoencoderKL : Module<Tensor, Tensor>
{
    private readonly Encoder encoder;
    private readonly Decoder decoder;
    private readonly Conv2d? quant_conv;
    private readonly Conv2d? post_quant_conv;

    /// <summary>An autoencoder with random weights.</summary>
    /// <exception cref="ArgumentException">The config contradicts itself.</exception>
    public AutoencoderKL(VaeConfig config, Device? device = null, ScalarType? dtype = null)
        : base(nameof(AutoencoderKL))
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        Config = config;
        encoder = new Encoder(config);
        decoder = new Decoder(config);
        quant_conv = config.UseQuantConv ? Conv2d(2 * config.LatentChannels, 2 * config.LatentChannels, 1) : null;
        post_quant_conv = config.UsePostQuantConv ? Conv2d(config.LatentChannels, config.LatentChannels, 1) : null;
        RegisterComponents();
        this.to(device ?? CPU, dtype ?? ScalarType.Float32);
    }

    /// <summary>The shape that this autoencoder was built with.</summary>
    public VaeConfig Config { get; }

    /// <summary>The type of the weights, in which the network computes.</summary>
    public ScalarType DType => parameters().First().dtype;

    /// <summary>
    /// Side of the tiles in pixels, in which pictures that are larger are encoded and decoded, so that memory no longer grows with them; null,
    /// the default, for none. A multiple of four times the factor, from 16 times. Tiles overlap by a quarter and fade into one another; since
    /// norms look over a whole tile, colours may differ a little from the untiled picture's.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">No such multiple.</exception>
    public int? TileSide
    {
        get;
        set => field = value is not { } side || (side >= 16 * Config.Factor && side % (4 * Config.Factor) == 0)
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(value), value, $"{nameof(TileSide)} must be a multiple of {4 * Config.Factor}, from {16 * Config.Factor}, but is {value}.");
    }

    /// <summary>The distribution of a picture's latent.</summary>
    /// <param name="image">[batch, 3, height, width] in −1…1; height and width multiples of the factor.</param>
    /// <returns>Mean and logarithm of the variance (within −30…20), each [batch, latent channels, height / factor, width / factor].</returns>
    public (Tensor Mean, Tensor LogVariance) Encode(Tensor image)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor moments = TileSide is { } side ? Tiles.Map(image, side, pixels => pixels / Config.Factor, Moments) : Moments(image);
        Tensor[] halves = moments.chunk(2, dim: 1);
        return (halves[0].MoveToOuterDisposeScope(), halves[1].Clamped(-30, 20).MoveToOuterDisposeScope());
    }

    /// <summary>The picture of a latent.</summary>
    /// <param name="latent">[batch, latent channels, height / factor, width / factor], as <see cref="Encode"/> gives it: unscaled.</param>
    /// <returns>[batch, 3, height, width], about −1…1, not clamped.</returns>
    public Tensor Decode(Tensor latent)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor picture = TileSide is { } side
            ? Tiles.Map(latent, side / Config.Factor, pixels => pixels * Config.Factor, Picture)
            : Picture(latent);
        return picture.MoveToOuterDisposeScope();
    }

    private Tensor Moments(Tensor image)
    {
        Tensor moments = encoder.forward(image);
        return quant_conv?.forward(moments) ?? moments;
    }

    private Tensor Picture(Tensor latent) => decoder.forward(post_quant_conv?.forward(latent) ?? latent);

    /// <summary>Encodes to the mode and decodes again.</summary>
    public override Tensor forward(Tensor image)
    {
        using DisposeScope scope = NewDisposeScope();
        return Decode(Encode(image).Mean).MoveToOuterDisposeScope();
    }

    /// <summary>An unscaled latent as diffusion sees it: <c>(latent − shift) · scale</c>.</summary>
    public Tensor Scale(Tensor latent) => latent.Minus(Config.ShiftFactor ?? 0f).Times(Config.ScalingFactor);

    /// <summary>The reverse of <see cref="Scale"/>.</summary>
    public Tensor Unscale(Tensor latent) => latent.Over(Config.ScalingFactor).Plus(Config.ShiftFactor ?? 0f);
}

internal static class Norms
{
    /// <summary>A group normalisation that starts as ones and zeros: TorchSharp leaves its weights as the memory was.</summary>
    public static GroupNorm Group(VaeConfig config, int channels)
    {
        GroupNorm norm = GroupNorm(config.NormNumGroups, channels, eps: 1e-6);
        init.ones_(norm.weight!);
        init.zeros_(norm.bias!);
        return norm;
    }
}

internal sealed class Encoder : Module<Tensor, Tensor>
{
    private readonly Conv2d conv_in;
    private readonly ModuleList<DownBlock> down_blocks;
    private readonly MidBlock mid_block;
    private readonly GroupNorm conv_norm_out;
    private readonly Conv2d conv_out;

    public Encoder(VaeConfig config)
        : base(nameof(Encoder))
    {
        IReadOnlyList<int> channels = config.BlockOutChannels;
        conv_in = Conv2d(config.InChannels, channels[0], 3, padding: 1);
        down_blocks = ModuleList(channels
            .Select((c, i) => new DownBlock(config, channels[Math.Max(i - 1, 0)], c, downsample: i < channels.Count - 1))
            .ToArray());
        mid_block = new MidBlock(config);
        conv_norm_out = Norms.Group(config, channels[^1]);
        conv_out = Conv2d(channels[^1], 2 * config.LatentChannels, 3, padding: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor image)
    {
        Tensor x = conv_in.forward(image); // [batch, channels 0, height, width]
        foreach (DownBlock block in down_blocks)
        {
            x = block.forward(x); // [batch, channels i, height / 2^(i+1), …]; the last level keeps its resolution
        }
        x = mid_block.forward(x);
        x = functional.silu(conv_norm_out.forward(x));
        return conv_out.forward(x); // [batch, 2 · latent channels, height / factor, width / factor]
    }
}

internal sealed class Decoder : Module<Tensor, Tensor>
{
    private readonly Conv2d conv_in;
    private readonly MidBlock mid_block;
    private readonly ModuleList<UpBlock> up_blocks;
    private readonly GroupNorm conv_norm_out;
    private readonly Conv2d conv_out;

    public Decoder(VaeConfig config)
        : base(nameof(Decoder))
    {
        int[] channels = config.BlockOutChannels.Reverse().ToArray();
        conv_in = Conv2d(config.LatentChannels, channels[0], 3, padding: 1);
        mid_block = new MidBlock(config);
        up_blocks = ModuleList(channels
            .Select((c, i) => new UpBlock(config, channels[Math.Max(i - 1, 0)], c, upsample: i < channels.Length - 1))
            .ToArray());
        conv_norm_out = Norms.Group(config, channels[^1]);
        conv_out = Conv2d(channels[^1], config.OutChannels, 3, padding: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor latent)
    {
        Tensor x = conv_in.forward(latent); // [batch, channels, height / factor, width / factor]
        x = mid_block.forward(x);
        foreach (UpBlock block in up_blocks)
        {
            x = block.forward(x); // twice the resolution, but for the last level
        }
        x = functional.silu(conv_norm_out.forward(x));
        return conv_out.forward(x); // [batch, 3, height, width]
    }
}

internal sealed class DownBlock : Module<Tensor, Tensor>
{
    private readonly ModuleList<ResnetBlock> resnets;
    private readonly ModuleList<Downsample>? downsamplers;

    public DownBlock(VaeConfig config, int inChannels, int outChannels, bool downsample)
        : base(nameof(DownBlock))
    {
        resnets = ModuleList(Enumerable.Range(0, config.LayersPerBlock)
            .Select(i => new ResnetBlock(config, i == 0 ? inChannels : outChannels, outChannels))
            .ToArray());
        downsamplers = downsample ? ModuleList(new Downsample(outChannels)) : null;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (ResnetBlock resnet in resnets)
        {
            x = resnet.forward(x);
        }
        return (downsamplers?[0].forward(x) ?? x).MoveToOuterDisposeScope();
    }
}

internal sealed class UpBlock : Module<Tensor, Tensor>
{
    private readonly ModuleList<ResnetBlock> resnets;
    private readonly ModuleList<Upsample>? upsamplers;

    public UpBlock(VaeConfig config, int inChannels, int outChannels, bool upsample)
        : base(nameof(UpBlock))
    {
        resnets = ModuleList(Enumerable.Range(0, config.LayersPerBlock + 1)
            .Select(i => new ResnetBlock(config, i == 0 ? inChannels : outChannels, outChannels))
            .ToArray());
        upsamplers = upsample ? ModuleList(new Upsample(outChannels)) : null;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (ResnetBlock resnet in resnets)
        {
            x = resnet.forward(x);
        }
        return (upsamplers?[0].forward(x) ?? x).MoveToOuterDisposeScope();
    }
}

internal sealed class MidBlock : Module<Tensor, Tensor>
{
    private readonly ModuleList<ResnetBlock> resnets;
    private readonly ModuleList<AttentionBlock>? attentions;

    public MidBlock(VaeConfig config)
        : base(nameof(MidBlock))
    {
        int channels = config.BlockOutChannels[^1];
        resnets = ModuleList(new ResnetBlock(config, channels, channels), new ResnetBlock(config, channels, channels));
        attentions = config.MidBlockAddAttention ? ModuleList(new AttentionBlock(config, channels)) : null;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        x = resnets[0].forward(x);
        x = attentions?[0].forward(x) ?? x;
        return resnets[1].forward(x).MoveToOuterDisposeScope();
    }
}

internal sealed class ResnetBlock : Module<Tensor, Tensor>
{
    private readonly GroupNorm norm1;
    private readonly Conv2d conv1;
    private readonly GroupNorm norm2;
    private readonly Conv2d conv2;
    private readonly Conv2d? conv_shortcut;

    public ResnetBlock(VaeConfig config, int inChannels, int outChannels)
        : base(nameof(ResnetBlock))
    {
        norm1 = Norms.Group(config, inChannels);
        conv1 = Conv2d(inChannels, outChannels, 3, padding: 1);
        norm2 = Norms.Group(config, outChannels);
        conv2 = Conv2d(outChannels, outChannels, 3, padding: 1);
        conv_shortcut = inChannels == outChannels ? null : Conv2d(inChannels, outChannels, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor h = conv1.forward(functional.silu(norm1.forward(x)));
        h = conv2.forward(functional.silu(norm2.forward(h)));
        return (conv_shortcut?.forward(x) ?? x).Plus(h).MoveToOuterDisposeScope();
    }
}

internal sealed class AttentionBlock : Module<Tensor, Tensor>
{
    private readonly GroupNorm group_norm;
    private readonly Linear to_q;
    private readonly Linear to_k;
    private readonly Linear to_v;
    private readonly ModuleList<Linear> to_out;

    public AttentionBlock(VaeConfig config, int channels)
        : base(nameof(AttentionBlock))
    {
        group_norm = Norms.Group(config, channels);
        to_q = Linear(channels, channels);
        to_k = Linear(channels, channels);
        to_v = Linear(channels, channels);
        to_out = ModuleList(Linear(channels, channels));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor tokens = group_norm.forward(x).flatten(2).transpose(1, 2).unsqueeze(1); // [batch, 1 head, places, channels]
        Tensor attended = functional.scaled_dot_product_attention(to_q.forward(tokens), to_k.forward(tokens), to_v.forward(tokens));
        Tensor change = to_out[0].forward(attended.squeeze(1)).transpose(1, 2).reshape(x.shape); // [batch, channels, height, width]
        return x.Plus(change).MoveToOuterDisposeScope();
    }
}

internal sealed class Downsample : Module<Tensor, Tensor>
{
    private readonly Conv2d conv;

    public Downsample(int channels)
        : base(nameof(Downsample))
    {
        conv = Conv2d(channels, channels, 3, stride: 2);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using Tensor padded = functional.pad(x, [0, 1, 0, 1]); // one row and column of zeros at the far edges only
        return conv.forward(padded);
    }
}

internal sealed class Upsample : Module<Tensor, Tensor>
{
    private readonly Conv2d conv;

    public Upsample(int channels)
        : base(nameof(Upsample))
    {
        conv = Conv2d(channels, channels, 3, padding: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using Tensor twice = functional.interpolate(x, scale_factor: [2, 2], mode: InterpolationMode.Nearest);
        return conv.forward(twice);
    }
}
