using Dsd.Lab.Training;
using Dsd.Models.Autoencoder;
using Dsd.Models.Sampling;
using Dsd.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Tests.Training;

[Collection("Torch's random numbers")]
public sealed class LatentPoolTests(BegunModel begun)
{
    private const int Single = 0;
    private const int Pair = 1;
    private const int Quad = 6;

    [Fact]
    public void Sample_GivesInContextGridsWithTheirPanelsEncodedAlone()
    {
        using TemporaryFolder folder = new();
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        string model = begun.CopyInto(folder);
        File.WriteAllText(folder.File("training.json"), TinyTrainingTests.Config);
        TinyTrainingConfig config = TinyTrainingConfig.Load(folder.File("training.json"));
        config = config with { Teacher = config.Teacher with { Pool = 6, PoolSteps = 100 } };
        TinyTokens tokens = TinyTokens.Load(model, config.Text.T5Tokens);
        using AutoencoderKL vae = TinyFiles.LoadVae(model, CPU);
        WorldPictures world = new(config);
        using LatentPool pool = new(vae, config, world, tokens, CPU, firstStep: 0, endStep: 100);

        LatentPool.Batch pairs = pool.Sample(Pair, 30);

        // The first half of the pool's pairs is in-context.
        Tensor images = world.CaptionedPool(0, 6, tokens)[1].Pictures.ToTensor(CPU);
        Tensor Encoded(Tensor part) => vae.Scale(vae.Encode(part.contiguous()).Mean);
        Tensor alone = LatentPacking.Pack(cat([.. images.split(config.PanelSize, 3).Select(Encoded)], 3));
        Tensor whole = LatentPacking.Pack(Encoded(images));
        Assert.Contains(true, pairs.InContext);
        Assert.Contains(false, pairs.InContext);
        for (int i = 0; i < 30; i++)
        {
            using DisposeScope one = NewDisposeScope();
            int row = Nearest(whole, pairs.Latents[i]);
            Assert.Equal(row < 3, pairs.InContext[i]);
            TensorAssert.Close((row < 3 ? alone : whole)[row], pairs.Alone![i], 1e-4);
        }
        Assert.Equal((2, 2 * config.PanelSize * config.PanelSize / (16 * 16)), (pairs.Panels, (int)pairs.PanelOfToken.numel()));
    }

    [Fact]
    public void Sample_KnowsWhichPanelATokenBelongsTo()
    {
        using TemporaryFolder folder = new();
        using DisposeScope scope = NewDisposeScope();
        string model = begun.CopyInto(folder);
        File.WriteAllText(folder.File("training.json"), TinyTrainingTests.Config);
        TinyTrainingConfig config = TinyTrainingConfig.Load(folder.File("training.json"));
        config = config with { Teacher = config.Teacher with { PoolSteps = 100 } };
        using AutoencoderKL vae = TinyFiles.LoadVae(model, CPU);
        using LatentPool pool = new(
            vae, config, new WorldPictures(config), TinyTokens.Load(model, config.Text.T5Tokens), CPU, firstStep: 0, endStep: 100);

        LatentPool.Batch quads = pool.Sample(Quad, 2);

        Assert.Equal(4, quads.Panels);
        long[] panels = quads.PanelOfToken.data<long>().ToArray();
        int side = config.PanelSize / (2 * vae.Config.Factor);
        Assert.Equal(4 * side * side, panels.Length);
        // Rows of tokens, half of each panel.
        Assert.All(Enumerable.Range(0, panels.Length), i => Assert.Equal((i / (2 * side) / side * 2) + (i % (2 * side) / side), panels[i]));
        LatentPool.Batch singles = pool.Sample(Single, 2);
        Assert.Equal((1, null), (singles.Panels, singles.Alone));
        Assert.DoesNotContain(true, singles.InContext);
    }

    private static int Nearest(Tensor all, Tensor one)
    {
        using DisposeScope scope = NewDisposeScope();
        return (int)(all - one).square().sum([1, 2]).argmin().item<long>();
    }
}
