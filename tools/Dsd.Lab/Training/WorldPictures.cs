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
            return new Drawn(Renderer.Draw(subject, context, config.PanelSize), caption, [new WorldPanel(subject, context)]);
        }),
        Captioned(2, 1, count, config.Teacher.InContext.Share, tokens, (i, inContext) => Pair(Random(~round, i + count), inContext)),
        Captioned(
            2, 2, (count + 3) / 4, config.Teacher.InContext.Share, tokens,
            (i, inContext) => Grid(Random(~round, i + 2 * count), GridLayout.TwoByTwo, inContext)),
    ];

    private CaptionedPictures Captioned(int columns, int rows, int count, double inContextShare, TinyTokens tokens, Func<int, bool, Drawn> draw)
    {
        int inContext = (int)(count * inContextShare);
        (long[] T5, long[] Clip)[] ids = new (long[], long[])[count];
        long[][] subjects = new long[count][];
        float[][]? details = config.Teacher.DetailWeight > 0 ? new float[count][] : null;
        PictureBatch pictures = PictureBatch.Draw(count, i =>
        {
            Drawn drawn = draw(i, i < inContext);
            ids[i] = tokens.Encode(drawn.Caption.Text);
            subjects[i] = [.. drawn.Panels.SelectMany(panel => panel.Subject.Values).Select(value => (long)value)];
            details?[i] = Detail(drawn.Panels, columns);
            return drawn.Picture;
        });
        return new CaptionedPictures(
            columns * config.PanelSize, rows * config.PanelSize, pictures, [.. ids.SelectMany(i => i.T5)], [.. ids.SelectMany(i => i.Clip)], inContext,
            details is null ? null : [.. details.SelectMany(detail => detail)], [.. subjects.SelectMany(values => values)]);
    }

    /// <summary>The panels' weights in the order of a picture's tokens, which stand row by row over all of it.</summary>
    private float[] Detail(IReadOnlyList<WorldPanel> panels, int columns)
    {
        int side = config.PanelSize / config.TokenSide;
        float[][] weights = [.. panels.Select(p => SubjectDetail.Weights(p, config.PanelSize, config.TokenSide, config.Teacher.DetailWeight))];
        return
        [
            .. weights.Chunk(columns).SelectMany(row => Enumerable.Range(0, side).SelectMany(y => row.SelectMany(panel => panel.Skip(y * side).Take(side)))),
        ];
    }

    private Drawn Pair(WorldRandom random, bool inContext)
    {
        if (!random.Chance(WorldSampler.RelightShare))
        {
            return Grid(random, GridLayout.OneByTwo, inContext);
        }
        if (inContext)
        {
            return Draw(InContextGrids.DrawRelit(random));
        }
        WorldGrid grid = WorldSampler.SampleRelightGrid(random, config.Teacher.InconsistentShare);
        (Context left, Context right) = (grid.Panels[0].Context, grid.Panels[1].Context);
        return Draw((grid, Captions.RelightGrid(grid.Subject, left, left.Light, right.Light, random.NextBits(), wholeSubject: random.Chance(0.5))));
    }

    private Drawn Grid(WorldRandom random, GridLayout layout, bool inContext)
    {
        if (inContext)
        {
            return Draw(InContextGrids.Draw(random, layout));
        }
        WorldGrid grid = WorldSampler.SampleGrid(random, layout, config.Teacher.InconsistentShare);
        return Draw((grid, Captions.Grid(grid, random.NextBits(), wholeSubject: random.Chance(0.5))));
    }

    private Drawn Draw((WorldGrid Grid, Caption Caption) captioned) =>
        new(Renderer.Draw(captioned.Grid, config.PanelSize), captioned.Caption, captioned.Grid.Panels);

    private Picture DrawSingle(WorldRandom random) =>
        Renderer.Draw(WorldSampler.SampleSubject(random), WorldSampler.SampleContext(random), config.PanelSize);

    private Picture DrawGrid(WorldRandom random, GridLayout layout) =>
        Renderer.Draw(WorldSampler.SampleGrid(random, layout), config.PanelSize);

    private WorldRandom Random(long number, int index) =>
        new(WorldRandom.Mix(WorldRandom.Mix((ulong)config.Seed) ^ (ulong)(number * 1_000_003 + index)));

    private sealed record Drawn(Picture Picture, Caption Caption, IReadOnlyList<WorldPanel> Panels);
}

/// <summary>Pictures of one shape with the token ids of their captions, one row of ids after the other. The first so many are in-context.</summary>
/// <param name="Width">A picture's width in pixels.</param>
/// <param name="Height">A picture's height in pixels.</param>
/// <param name="Pictures">The pictures.</param>
/// <param name="T5Ids">Ids for T5, picture by picture.</param>
/// <param name="ClipIds">Ids for CLIP, picture by picture.</param>
/// <param name="InContext">How many, from the first on, are grids to look across.</param>
/// <param name="Detail">How much each token tells of its panel's subject, picture by picture; null where it is not asked for.</param>
/// <param name="Subjects">The values of each panel's subject, picture by picture, panel by panel.</param>
internal sealed record CaptionedPictures(
    int Width, int Height, PictureBatch Pictures, long[] T5Ids, long[] ClipIds, int InContext, float[]? Detail, long[] Subjects)
{
    public int Count => Pictures.Count;
}
