using Dsd.Curation.Grids;
using Dsd.Imaging;
using Dsd.Tiny.World;

namespace Dsd.Lab.Training;

/// <summary>What the stages see of the small world: pictures decided by the config's seed and a number, held-out subjects never among them.</summary>
internal sealed class WorldPictures(TinyTrainingConfig config)
{
    /// <summary>Pictures without captions, of one shape: single pictures half of the time, grids otherwise, with about as many pixels in each batch.</summary>
    public PictureBatch PlainBatch(long number, int singles) => (number & 3) switch
    {
        2 => PictureBatch.Draw(singles / 2, i => DrawGrid(Random(number, i), GridLayout.OneByTwo)),
        3 => PictureBatch.Draw(singles / 4, i => DrawGrid(Random(number, i), GridLayout.TwoByTwo)),
        _ => PictureBatch.Draw(singles, i => DrawSingle(Random(number, i))),
    };

    /// <summary>
    /// Captioned pictures: <paramref name="count"/> pairs, half as many single ones and a quarter as many quads. Half of the captions mention every
    /// attribute of the subject, except those of the first grids of each shape, which are in-context ones.
    /// </summary>
    public IReadOnlyList<CaptionedPictures> CaptionedPool(long round, int count, TinyTokens tokens) =>
    [
        Captioned(1, 1, (count + 1) / 2, inContextShare: 0, tokens, (i, _) =>
        {
            WorldRandom random = Random(~round, i);
            Subject subject = WorldSampler.SampleSubject(random);
            Context context = WorldSampler.SampleContext(random);
            Caption caption = random.Chance(0.5) ? Captions.Single(subject, context, random.NextBits()) : Captions.Full(subject, context, random.NextBits());
            return (Renderer.Draw(subject, context, config.PanelSize), caption.Text);
        }),
        Captioned(2, 1, count, config.Teacher.InContext.Share, tokens, (i, inContext) => Pair(Random(~round, i + count), inContext)),
        Captioned(
            2, 2, (count + 3) / 4, config.Teacher.InContext.Share, tokens,
            (i, inContext) => Grid(Random(~round, i + 2 * count), GridLayout.TwoByTwo, inContext)),
    ];

    private CaptionedPictures Captioned(int columns, int rows, int count, double inContextShare, TinyTokens tokens, Func<int, bool, (Picture, string)> draw)
    {
        int inContext = (int)(count * inContextShare);
        (long[] T5, long[] Clip)[] ids = new (long[], long[])[count];
        PictureBatch pictures = PictureBatch.Draw(count, i =>
        {
            (Picture picture, string caption) = draw(i, i < inContext);
            ids[i] = tokens.Encode(caption);
            return picture;
        });
        return new CaptionedPictures(
            columns * config.PanelSize, rows * config.PanelSize, pictures, [.. ids.SelectMany(i => i.T5)], [.. ids.SelectMany(i => i.Clip)], inContext);
    }

    private (Picture, string) Pair(WorldRandom random, bool inContext)
    {
        if (!random.Chance(WorldSampler.RelightShare))
        {
            return Grid(random, GridLayout.OneByTwo, inContext);
        }
        if (inContext)
        {
            return Drawn(InContextGrids.DrawRelit(random));
        }
        WorldGrid grid = WorldSampler.SampleRelightGrid(random, config.Teacher.InconsistentShare);
        (Context left, Context right) = (grid.Panels[0].Context, grid.Panels[1].Context);
        return (Renderer.Draw(grid, config.PanelSize),
            Captions.RelightGrid(grid.Subject, left, left.Light, right.Light, random.NextBits(), wholeSubject: random.Chance(0.5)).Text);
    }

    private (Picture, string) Grid(WorldRandom random, GridLayout layout, bool inContext)
    {
        if (inContext)
        {
            return Drawn(InContextGrids.Draw(random, layout));
        }
        WorldGrid grid = WorldSampler.SampleGrid(random, layout, config.Teacher.InconsistentShare);
        return (Renderer.Draw(grid, config.PanelSize), Captions.Grid(grid, random.NextBits(), wholeSubject: random.Chance(0.5)).Text);
    }

    private (Picture, string) Drawn((WorldGrid Grid, Caption Caption) captioned) => (Renderer.Draw(captioned.Grid, config.PanelSize), captioned.Caption.Text);

    private Picture DrawSingle(WorldRandom random) =>
        Renderer.Draw(WorldSampler.SampleSubject(random), WorldSampler.SampleContext(random), config.PanelSize);

    private Picture DrawGrid(WorldRandom random, GridLayout layout) =>
        Renderer.Draw(WorldSampler.SampleGrid(random, layout), config.PanelSize);

    private WorldRandom Random(long number, int index) =>
        new(WorldRandom.Mix(WorldRandom.Mix((ulong)config.Seed) ^ (ulong)(number * 1_000_003 + index)));
}

/// <summary>Pictures of one shape with the token ids of their captions, one row of ids after the other. The first so many are in-context.</summary>
internal sealed record CaptionedPictures(int Width, int Height, PictureBatch Pictures, long[] T5Ids, long[] ClipIds, int InContext)
{
    public int Count => Pictures.Count;
}
