using Dsd.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Tiny.Classifier;

/// <summary>A small convolutional network that reads every attribute of subject and context off one picture.</summary>
/// <remarks>
/// Place and size need to know where things are: the input carries its coordinates, and besides an attention of its own every attribute sees
/// a coarse grid of the whole picture. About 350,000 parameters at the default sizes; the judge's network is another one and shares nothing with it.
/// Field names are the checkpoint's keys.
/// </remarks>
public sealed class ClassifierNetwork : Module<Tensor, Tensor>
{
    private const int GridChannels = 8;
    private const int GridFeatures = 64;

    private readonly Conv2d stem;
    private readonly PreNormBlock fine;
    private readonly Conv2d widen;
    private readonly PreNormBlock middle;
    private readonly Conv2d widest;
    private readonly PreNormBlock coarse1;
    private readonly PreNormBlock coarse2;
    private readonly GroupNorm norm;
    private readonly Conv2d attention;
    private readonly Conv2d grid;
    private readonly Linear layout;
    private readonly ModuleList<Linear> heads;

    /// <summary>A network with random weights.</summary>
    /// <param name="config">Sizes and attributes.</param>
    /// <param name="device">Where the weights lie; null for the CPU.</param>
    public ClassifierNetwork(ClassifierConfig config, Device? device = null)
        : base(nameof(ClassifierNetwork))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        using DisposeScope scope = NewDisposeScope();
        (int half, int quarter, int eighth) = (config.Channels[0], config.Channels[1], config.Channels[2]);
        int cells = config.ImageSize / 16 * (config.ImageSize / 16);
        stem = Conv2d(5, half, 3, stride: 2, padding: 1);
        fine = new PreNormBlock(half);
        widen = Conv2d(half, quarter, 3, stride: 2, padding: 1);
        middle = new PreNormBlock(quarter);
        widest = Conv2d(quarter, eighth, 3, stride: 2, padding: 1);
        coarse1 = new PreNormBlock(eighth);
        coarse2 = new PreNormBlock(eighth);
        norm = Norm(eighth);
        attention = Conv2d(eighth, config.Attributes.Count, 1);
        grid = Conv2d(eighth, GridChannels, 1);
        layout = Linear(GridChannels * cells, GridFeatures);
        heads = ModuleList(config.Attributes.Select(kind => Linear(eighth + GridFeatures, kind.Count)).ToArray());
        RegisterComponents();
        this.to(device ?? CPU);
        foreach (Parameter parameter in parameters())
        {
            // A network built inside a dispose scope outlives it.
            parameter.DetachFromDisposeScope();
        }
    }

    /// <summary>The sizes and attributes that this network was built with.</summary>
    public ClassifierConfig Config { get; }

    /// <summary>Logits of every value of every attribute.</summary>
    /// <param name="images">[batch, 3, size, size] in −1…1.</param>
    /// <returns>[batch, sum of all value counts], the attributes one after another in the config's order; <see cref="Split"/> parts them.</returns>
    public override Tensor forward(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = stem.forward(WithCoordinates(images)); // [batch, half, size / 2, size / 2]
        x = widen.forward(fine.forward(x)); // [batch, quarter, size / 4, size / 4]
        x = widest.forward(middle.forward(x)); // [batch, eighth, size / 8, size / 8]
        x = functional.silu(norm.forward(coarse2.forward(coarse1.forward(x))));

        Tensor weights = attention.forward(x).flatten(2).softmax(-1); // [batch, attributes, positions]
        Tensor seen = weights.matmul(x.flatten(2).transpose(1, 2)); // [batch, attributes, eighth]
        Tensor cells = functional.avg_pool2d(grid.forward(x), 2).flatten(1); // [batch, GridChannels · (size / 16)²]
        Tensor whole = functional.silu(layout.forward(cells)); // [batch, GridFeatures]
        Tensor[] logits = [.. heads.Select((head, i) => head.forward(cat([seen.select(1, i), whole], 1)))]; // each [batch, values]
        return cat(logits, 1).MoveToOuterDisposeScope();
    }

    /// <summary>The logits of each attribute: views of [batch, values] in the config's order.</summary>
    public Tensor[] Split(Tensor logits) => logits.split([.. Config.Attributes.Select(kind => (long)kind.Count)], 1);

    /// <summary>What training lowers: the cross entropies of all attributes, summed.</summary>
    /// <param name="images">[batch, 3, size, size] in −1…1.</param>
    /// <param name="values">[batch, attributes], the true value indices as int64.</param>
    /// <returns>A scalar with gradients, the mean over the batch.</returns>
    public Tensor Loss(Tensor images, Tensor values)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] logits = Split(forward(images));
        Tensor[] losses = [.. logits.Select((of, i) => functional.cross_entropy(of, values.select(1, i)))];
        return stack(losses).sum().MoveToOuterDisposeScope();
    }

    /// <summary>The most likely value of every attribute.</summary>
    /// <param name="images">[batch, 3, size, size] in −1…1.</param>
    /// <returns>[batch, attributes], value indices as int64 on the images' device.</returns>
    public Tensor Read(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        return stack([.. Split(forward(images)).Select(of => of.argmax(1))], 1).MoveToOuterDisposeScope();
    }

    internal static GroupNorm Norm(int channels)
    {
        GroupNorm norm = GroupNorm(8, channels);
        // TorchSharp 0.107 leaves a group norm's memory as it found it.
        init.ones_(norm.weight);
        init.zeros_(norm.bias);
        return norm;
    }

    // Two more channels: how far right and how far down a pixel is, −1…1.
    private static Tensor WithCoordinates(Tensor images)
    {
        (long batch, long height, long width) = (images.shape[0], images.shape[2], images.shape[3]);
        Tensor across = linspace(-1, 1, width, dtype: images.dtype, device: images.device).view(1, 1, 1, width).expand(batch, 1, height, width);
        Tensor down = linspace(-1, 1, height, dtype: images.dtype, device: images.device).view(1, 1, height, 1).expand(batch, 1, height, width);
        return cat([images, across, down], 1); // [batch, 5, height, width]
    }
}

internal sealed class PreNormBlock : Module<Tensor, Tensor>
{
    private readonly GroupNorm norm1;
    private readonly Conv2d conv1;
    private readonly GroupNorm norm2;
    private readonly Conv2d conv2;

    public PreNormBlock(int channels)
        : base(nameof(PreNormBlock))
    {
        norm1 = ClassifierNetwork.Norm(channels);
        conv1 = Conv2d(channels, channels, 3, padding: 1);
        norm2 = ClassifierNetwork.Norm(channels);
        conv2 = Conv2d(channels, channels, 3, padding: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor y = conv1.forward(functional.silu(norm1.forward(x)));
        y = conv2.forward(functional.silu(norm2.forward(y)));
        return x.Plus(y).MoveToOuterDisposeScope();
    }
}
