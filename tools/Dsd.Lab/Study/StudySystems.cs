using Dsd.Lab.Study.Baselines;
using Dsd.Lab.Training;
using Dsd.Tiny;
using Dsd.Tiny.World;

namespace Dsd.Lab.Study;

/// <summary>The ten systems, and the data that each learns from.</summary>
internal static class StudySystems
{
    /// <summary>The method's own name in the results.</summary>
    public const string TheMethod = "dsd";

    /// <summary>All of them, in the order of the table.</summary>
    public static IReadOnlyList<StudySystem> All { get; } =
    [
        new TextSystem(),
        new SubjectSystem(),
        new PairSystem(
            ImageEmbeddingSystem.Name,
            "conditioning through a pooled image embedding",
            Curated,
            (c, pairs, file, checkpoint, progress) =>
                ImageEmbeddingSystem.Train(c.ModelFolder, c.Device, pairs, c.Config.Budget, file, checkpoint, progress, c.CancellationToken),
            (c, file) => new ReferenceGenerator(ImageEmbeddingNetwork.Load(c.ModelFolder, c.Device, file), c.Sampling)),
        new PairSystem(
            StructureSystem.Name,
            "conditioning through added structure",
            Curated,
            (c, pairs, file, checkpoint, progress) =>
                StructureSystem.Train(c.ModelFolder, c.Device, pairs, c.Config.Budget, file, checkpoint, progress, c.CancellationToken),
            (c, file) => new ReferenceGenerator(StructureNetwork.Load(c.ModelFolder, c.Device, file), c.Sampling)),
        Dsd("dsd_uncurated", "no curation", c => GridSet.Varied(c).Pairs()),
        Dsd("dsd_random", "random rejection of the same share", RandomlyKept),
        Dsd(TheMethod, "the method: pairs that the judge keeps", Curated),
        Dsd("dsd_oracle", "true pairs", Oracle),
        Dsd("dsd_one_template", "one prompt template in place of varied prompts", OneTemplate),
        Dsd("dsd_edit_only", "loss on the edit frame alone", Curated, referenceWeight: 0),
    ];

    /// <summary>Those that a config asks for.</summary>
    public static IReadOnlyList<StudySystem> Of(StudyConfig config) => [.. All.Where(s => config.Includes(s.Name))];

    /// <summary>A student distilled from pairs.</summary>
    public static PairSystem Dsd(string name, string shows, Func<StudyContext, GridPair[]> data, double referenceWeight = 1) => new(
        name,
        shows,
        data,
        (c, pairs, file, checkpoint, progress) =>
            DsdSystem.Train(c.ModelFolder, c.Device, pairs, c.Config.Budget, file, checkpoint, progress, referenceWeight, c.CancellationToken),
        (c, file) => DsdSystem.Open(c.ModelFolder, c.Device, file, c.Sampling));

    private static GridPair[] Curated(StudyContext context) => GridSet.Varied(context).Kept();

    // As many as the judge keeps, chosen without looking.
    private static GridPair[] RandomlyKept(StudyContext context)
    {
        GridSet grids = GridSet.Varied(context);
        GridPair[] pairs = grids.Pairs();
        return Some(pairs, grids.Curate(pairs).Kept.Count, context.Config.Seed);
    }

    // What the kept grids were asked to show, without the teacher's faults.
    private static GridPair[] Oracle(StudyContext context) =>
    [
        .. Curated(context).AsParallel().AsOrdered().Select(p => p with
        {
            A = Renderer.Draw(p.Plan.Subject, p.Plan.A, TinyModel.PanelSize),
            B = Renderer.Draw(p.Plan.Subject, p.Plan.B, TinyModel.PanelSize),
        }),
    ];

    // No more than the method itself has, so that only the prompts differ.
    private static GridPair[] OneTemplate(StudyContext context)
    {
        GridSet varied = GridSet.Varied(context);
        return Some(GridSet.OneTemplate(context).Kept(), varied.Curate(varied.Pairs()).Kept.Count, context.Config.Seed);
    }

    private static GridPair[] Some(GridPair[] pairs, int most, long seed)
    {
        int[] order = [.. Enumerable.Range(0, pairs.Length)];
        new Random(unchecked((int)(seed * 31 + 7))).Shuffle(order);
        return [.. order.Take(most).Order().Select(i => pairs[i])];
    }
}
