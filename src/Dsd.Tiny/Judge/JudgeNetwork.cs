using Dsd.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Tiny.Judge;

/// <summary>A small convolutional network that reads a subject's identity attributes in any place, pose and light.</summary>
/// <remarks>
/// Each attribute looks where it needs to: it weighs the positions of the feature map with an attention of its own before its head decides.
/// About 330,000 parameters at the default sizes. Field names are the checkpoint's keys.
/// </remarks>
public sealed class JudgeNetwork : Module<Tensor, Tensor>
{
    private readonly ConvNorm stem;
    private readonly ConvNorm down1;
    private readonly Residual block1;
    private readonly ConvNorm down2;
    private readonly Residual block2;
    private readonly Linear surroundings;
    private readonly Conv2d attention;
    private readonly ModuleList<Linear> heads;

    /// <summary>A network with random weights.</summary>
    /// <param name="config">Sizes and attributes.</param>
    /// <param name="device">Where the weights lie; null for the CPU.</param>
    public JudgeNetwork(JudgeConfig config, Device? device = null)
        : base(nameof(JudgeNetwork))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        using DisposeScope scope = NewDisposeScope();
        (int half, int quarter, int eighth) = (config.Channels[0], config.Channels[1], config.Channels[2]);
        stem = new ConvNorm(3, half, stride: 2);
        down1 = new ConvNorm(half, quarter, stride: 2);
        block1 = new Residual(quarter);
        down2 = new ConvNorm(quarter, eighth, stride: 2);
        block2 = new Residual(eighth);
        surroundings = Linear(eighth, eighth);
        attention = Conv2d(eighth, config.Attributes.Count, 1);
        heads = ModuleList(config.Attributes.Select(kind => Linear(eighth, kind.Count)).ToArray());
        RegisterComponents();
        this.to(device ?? CPU);
        foreach (Parameter parameter in parameters())
        {
            // A network built inside a dispose scope outlives it.
            parameter.DetachFromDisposeScope();
        }
    }

    /// <summary>The sizes and attributes that this network was built with.</summary>
    public JudgeConfig Config { get; }

    /// <summary>Logits of every value of every attribute.</summary>
    /// <param name="images">[batch, 3, size, size] in −1…1.</param>
    /// <returns>[batch, sum of all value counts], the attributes one after another in the config's order; <see cref="Split"/> parts them.</returns>
    public override Tensor forward(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = Features(images); // [batch, eighth, size / 8, size / 8]

        Tensor weights = attention.forward(x).flatten(2).softmax(-1); // [batch, attributes, positions]
        Tensor seen = weights.matmul(x.flatten(2).transpose(1, 2)); // [batch, attributes, eighth]
        Tensor[] logits = [.. heads.Select((head, i) => head.forward(seen.select(1, i)))]; // each [batch, values]
        return cat(logits, 1).MoveToOuterDisposeScope();
    }

    /// <summary>The feature map that the heads read: a vector for each place, which depends on the whole picture too.</summary>
    /// <param name="images">[batch, 3, size, size] in −1…1.</param>
    /// <returns>[batch, eighth, size / 8, size / 8].</returns>
    public Tensor Features(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = stem.forward(images); // [batch, half, size / 2, size / 2]
        x = block1.forward(down1.forward(x)); // [batch, quarter, size / 4, size / 4]
        x = block2.forward(down2.forward(x)); // [batch, eighth, size / 8, size / 8]

        // What is near decides, but a hat's red and a house's red only differ by the whole picture.
        Tensor whole = surroundings.forward(x.mean([2, 3])); // [batch, eighth]
        return functional.silu(x.Plus(whole.unsqueeze(-1).unsqueeze(-1))).MoveToOuterDisposeScope();
    }

    /// <summary>The logits of each attribute: views of [batch, values] in the config's order.</summary>
    public Tensor[] Split(Tensor logits) => logits.split([.. Config.Attributes.Select(kind => (long)kind.Count)], 1);
}

internal sealed class ConvNorm : Module<Tensor, Tensor>
{
    private readonly Conv2d conv;
    private readonly GroupNorm norm;

    public ConvNorm(int inChannels, int outChannels, int stride)
        : base(nameof(ConvNorm))
    {
        conv = Conv2d(inChannels, outChannels, 3, stride: stride, padding: 1, bias: false);
        norm = GroupNorm(8, outChannels);
        // TorchSharp 0.107 leaves a group norm's memory as it found it.
        init.ones_(norm.weight);
        init.zeros_(norm.bias);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        return functional.silu(norm.forward(conv.forward(x))).MoveToOuterDisposeScope();
    }
}

internal sealed class Residual : Module<Tensor, Tensor>
{
    private readonly ConvNorm first;
    private readonly ConvNorm second;

    public Residual(int channels)
        : base(nameof(Residual))
    {
        first = new ConvNorm(channels, channels, stride: 1);
        second = new ConvNorm(channels, channels, stride: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        return x.Plus(second.forward(first.forward(x))).MoveToOuterDisposeScope();
    }
}
