using Dsd.Imaging;
using Dsd.Models.Flux;
using Dsd.Models.Training;
using Dsd.Models.Training.Cache;
using Dsd.Testing;

namespace Dsd.Models.Tests.Training.Cache;

[Collection(RunAlone.Name)]
public class ManyPairsTests
{
    private const int Count = 200_000;
    private const int MostBytesAPair = 300;

    [Fact]
    public void TwoHundredThousandPairs_TakeAHundredBytesEach()
    {
        using TemporaryFolder folder = new();
        using FluxModel model = SmallPictures.Model();
        LoraTrainingOptions options = SmallPictures.Options with { CacheFolder = folder.File("cache"), Width = 16, Height = 16, Buckets = true };
        AspectBuckets buckets = new(model, options);
        using ExampleStore store = new(options.CacheFolder, model.Network.Device);
        PairEncoder encoder = new(model, options, buckets, store);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        long most = 0;

        ExampleTable examples = encoder.Encode(Pairs().Select(PairContent.Of), CancellationToken.None);
        BatchPlan plan = BatchPlan.OfBuckets(options.Seed, options.BatchSize, examples, buckets.All.Count);
        plan.Of(0);
        store.Seal();
        long after = GC.GetTotalMemory(forceFullCollection: true) - before;

        Assert.Equal(Count, examples.Count);
        Assert.InRange(after / (double)Count, 0, 160);
        Assert.InRange((most - before) / (double)Count, 0, MostBytesAPair);
        Assert.True(store.Counts.Made < 200, $"{store.Counts}");
        GC.KeepAlive(examples);
        GC.KeepAlive(plan);

        IEnumerable<TrainingPair> Pairs()
        {
            Picture[] pictures = [.. Enumerable.Range(0, 7).Select(i => SmallPictures.Noise(i, 16, 16))];
            for (int i = 0; i < Count; i++)
            {
                yield return new TrainingPair(pictures[i % 7], pictures[(i / 7) % 7], i % 3 == 0 ? "a fox" : "a cat");
                if (i % 50_000 == 49_999)
                {
                    most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true));
                }
            }
        }
    }
}
