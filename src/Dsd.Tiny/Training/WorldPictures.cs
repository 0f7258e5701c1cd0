using Dsd.Imaging;
using Dsd.Tiny.World;

namespace Dsd.Tiny.Training;

/// <summary>What the stages see of the little world: pictures decided by the config's seed and a number, held-out subjects never among them.</summary>
internal sealed class WorldPictures(TinyTrainingConfig config)
{
    /// <summary>Pictures without words, of one shape: single pictures half of the time, sheets otherwise, with about as many pixels in each batch.</summary>
    public PictureBatch PlainBatch(long number, int singles) => (number & 3) switch
    {
        2 => PictureBatch.Draw(singles / 2, i => DrawSheet(Random(number, i), SheetLayout.Pair)),
        3 => PictureBatch.Draw(singles / 4, i => DrawSheet(Random(number, i), SheetLayout.Quad)),
        _ => PictureBatch.Draw(singles, i => DrawSingle(Random(number, i))),
    };

    private Picture DrawSingle(WorldRandom random) =>
        Renderer.Draw(WorldSampler.SampleSubject(random), WorldSampler.SampleContext(random), config.PanelSize);

    private Picture DrawSheet(WorldRandom random, SheetLayout layout) =>
        Renderer.Draw(WorldSampler.SampleSheet(random, layout), config.PanelSize);

    private WorldRandom Random(long number, int index) =>
        new(WorldRandom.Mix(WorldRandom.Mix((ulong)config.Seed) ^ (ulong)(number * 1_000_003 + index)));
}
