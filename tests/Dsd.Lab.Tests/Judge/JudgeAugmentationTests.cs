using Dsd.Lab.Judge;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Judge;

[Collection("Torch's random numbers")]
public class JudgeAugmentationTests
{
    [Fact]
    public void Apply_KeepsShapeAndRange()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor changed = Apply(Images(), 1);
        Assert.Equal([8, 3, 32, 32], changed.shape);
        Assert.InRange(changed.abs().max().item<float>(), 0, 1);
    }

    [Fact]
    public void Apply_DependsOnTheSeedAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        Assert.True(Apply(Images(), 1).equal(Apply(Images(), 1)).all().item<bool>());
        Assert.False(Apply(Images(), 1).equal(Apply(Images(), 2)).all().item<bool>());
    }

    [Fact]
    public void Apply_LeavesAPictureRecognisable()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor images = full([64, 3, 32, 32], 0.5f);
        // A plain picture has nothing to shift or blur: what remains is colour and noise, which stay mild.
        Assert.InRange((Apply(images, 3) - images).abs().mean().item<float>(), 0.001, 0.15);
    }

    [Fact]
    public void Apply_SendsPicturesThroughTheRoundTrip()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor changed = Apply(full([64, 3, 32, 32], 0.5f), 4, x => x * 0 - 1);
        double black = (changed.mean([1, 2, 3]) < -0.7).to(ScalarType.Float32).mean().item<float>();
        Assert.InRange(black, 0.25, 0.75);
    }

    private static Tensor Images()
    {
        using Generator random = new(5);
        return rand([8, 3, 32, 32], generator: random) * 2 - 1;
    }

    private static Tensor Apply(Tensor images, ulong seed, Func<Tensor, Tensor>? roundTrip = null)
    {
        using Generator random = new(seed);
        return JudgeAugmentation.Apply(images, random, roundTrip);
    }
}
