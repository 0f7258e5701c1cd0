using Dsd.Models.Flux;
using Dsd.Models.Lora;
using Dsd.Models.Sampling;
using Dsd.Models.Training;
using Dsd.Models.Training.Cache;
using Dsd.Testing;

namespace Dsd.Models.Tests.Training.Cache;

public class AspectBucketsTests
{
    [Theory]
    [InlineData(512 * 512, 9)]
    [InlineData(1024 * 1024, 9)]
    [InlineData(512 * 768, 9)]
    [InlineData(32 * 32, 3)]
    public void SizesOfAnArea_AreMultiplesOf16_OfAboutThatArea(long area, int count)
    {
        (int Width, int Height)[] sizes = [.. AspectBuckets.OfArea(area).Distinct()];

        Assert.Equal(count, sizes.Length);
        Assert.All(sizes, s => Assert.Equal((0, 0), (s.Width % 16, s.Height % 16)));
        Assert.All(sizes, s => Assert.InRange((double)s.Width * s.Height / area, 0.96, 1.04));
        Assert.All(sizes, s => Assert.Contains((s.Height, s.Width), sizes));
        Assert.InRange(sizes.Max(s => (double)s.Width / s.Height), 2.5, 4.1);
    }

    [Fact]
    public void APair_GetsTheNearestAspect()
    {
        using FluxModel model = SmallPictures.Model();
        AspectBuckets buckets = new(model, SmallPictures.Options with { Buckets = true, Width = 512, Height = 512 });

        Assert.Equal((512, 512), Frame(buckets, 512, 512));
        Assert.Equal((512, 512), Frame(buckets, 1000, 990));
        Assert.Equal((688, 384), Frame(buckets, 1920, 1080));
        Assert.Equal((384, 688), Frame(buckets, 108, 192));
        Assert.Equal((1024, 256), Frame(buckets, 3000, 300));
    }

    [Fact]
    public void OfSeveralAreas_APairGetsTheLargestThatItFills()
    {
        using FluxModel model = SmallPictures.Model();
        AspectBuckets buckets = new(model, SmallPictures.Options with { Buckets = true, Resolutions = [1024, 256, 512] });

        Assert.Equal((256, 256), Frame(buckets, 100, 100));
        Assert.Equal((256, 256), Frame(buckets, 511, 511));
        // Not 512 × 512, but the size of this shape is filled.
        Assert.Equal((448, 592), Frame(buckets, 511, 600));
        Assert.Equal((512, 512), Frame(buckets, 512, 513));
        Assert.Equal((1024, 1024), Frame(buckets, 1100, 1024));
        Assert.Equal((2048, 512), Frame(buckets, 2048, 512));
    }

    [Fact]
    public void WithoutBuckets_ThereIsOneSize()
    {
        using FluxModel model = SmallPictures.Model();
        AspectBuckets buckets = new(model, SmallPictures.Options with { Width = 64 });
        Assert.Equal(new TwoFrames(64, 32), Assert.Single(buckets.All).Frames);
        Assert.Equal(0, buckets.Of(20, 90));
    }

    [Fact]
    public void Resolutions_AreChecked()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new LoraTrainingOptions { Resolutions = [512, 500] });
        Assert.Throws<ArgumentNullException>(() => new LoraTrainingOptions { Resolutions = null! });
        using FluxModel model = SmallPictures.Model();
        string message = Assert.Throws<ArgumentException>(() => new LoraTrainer(model, SmallPictures.Options with { Resolutions = [512] })).Message;
        Assert.Contains("option Buckets is false", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_OnPairsOfSeveralSizes_GoesOnFromItsCheckpoint_WithAndWithoutAFolder()
    {
        using TemporaryFolder folder = new();
        using FluxModel model = SmallPictures.Model();
        TrainingPair[] pairs =
        [
            .. new[] { (32, 32), (64, 16), (20, 60), (32, 30), (100, 100), (96, 40) }
                .Select((size, i) => new TrainingPair(SmallPictures.Noise(i), SmallPictures.Noise(20 + i, size.Item1, size.Item2), $"picture {i}")),
        ];
        LoraTrainingOptions options = SmallPictures.Options with { Buckets = true, Resolutions = [32, 64], Steps = 14, ReportEvery = 5 };
        using LoraAdapter whole = new LoraTrainer(model, options with { CacheFolder = folder.File("cache") }).Train(pairs);
        using LoraAdapter inMemory = new LoraTrainer(model, options).Train(pairs);
        options = options with { CacheFolder = folder.File("cache"), CheckpointFolder = folder.File("checkpoints") };
        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => new LoraTrainer(model, options).Train(pairs, new Reports(_ => stop.Cancel()), stop.Token));
        LoraTrainer again = new(model, options);
        using LoraAdapter resumed = again.Train(pairs);

        Assert.Equal(0, again.CacheUse!.Made);
        Assert.All(whole.Factors, f => TensorAssert.Equal(f.Value.B, resumed.Factors[f.Key].B));
        Assert.All(whole.Factors, f => TensorAssert.Close(f.Value.B, inMemory.Factors[f.Key].B, 1e-3));
    }

    private static (int, int) Frame(AspectBuckets buckets, int width, int height)
    {
        TwoFrames frames = buckets.All[buckets.Of(width, height)].Frames;
        return (frames.Width, frames.Height);
    }
}
