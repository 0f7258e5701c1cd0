using Dsd.Curation.Grids;
using Dsd.Imaging;
using Dsd.Models.Sampling;
using Dsd.Tiny.World;
using static TorchSharp.torch;

namespace Dsd.Lab.Training;

/// <summary>The method's first stage on the small world: the teacher draws grids of two panels, which are cut apart.</summary>
internal static class TeacherGrids
{
    private const int DrawBatch = 256;

    /// <summary>
    /// Draws grids of subjects that training may see; the same options give the same pairs. What lies in the folder is not drawn again.
    /// </summary>
    /// <param name="options">Which grids.</param>
    /// <param name="folder">Where the grids are kept as they are drawn.</param>
    /// <param name="devices">Where to draw: each draws a share of the grids.</param>
    /// <param name="log">Gets a line for each batch.</param>
    /// <param name="cancellationToken">Checked between steps; what is drawn by then is kept.</param>
    public static List<GridPair> Draw(
        TeacherGridOptions options, string folder, IReadOnlyList<Device> devices, Action<string> log, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        GridPlan[] plans = Plan(options);
        int parts = (plans.Length + DrawBatch - 1) / DrawBatch;
        int drawn = 0;
        Task<IReadOnlyList<Picture>>[] shares = [.. devices.Select((device, i) => Task.Run(() => Share(device, Bound(i), Bound(i + 1))))];
        IReadOnlyList<Picture>[] grids = Task.WhenAll(shares).GetAwaiter().GetResult();
        return [.. grids.SelectMany(share => share).Zip(plans, (grid, plan) => Cut(grid, plan, options.PanelSize))];

        // Whole batches, so that a grid has the same neighbours however many devices there are.
        int Bound(int device) => Math.Min(plans.Length, parts * device / devices.Count * DrawBatch);

        IReadOnlyList<Picture> Share(Device device, int first, int end)
        {
            TextToImagePipeline? teacher = null;
            try
            {
                return PictureParts.Complete(folder, first, end - first, DrawBatch, options.PanelSize, (from, count) =>
                {
                    teacher ??= TextToImagePipeline.Load(options.ModelFolder, ModelLoading.On(device));
                    IReadOnlyList<Picture> made = DrawGrids(teacher, plans.AsSpan(from, count).ToArray(), options, cancellationToken);
                    log($"{Interlocked.Add(ref drawn, count)} grids of {options.Count} drawn");
                    return made;
                });
            }
            finally
            {
                teacher?.Dispose();
            }
        }
    }

    /// <summary>What the grids are asked for.</summary>
    public static GridPlan[] Plan(TeacherGridOptions options)
    {
        WorldRandom random = new((ulong)options.Seed);
        List<GridPlan> plans = [];
        while (plans.Count < options.Count)
        {
            GridPlan[] some = [.. Enumerable.Range(0, Math.Min(DrawBatch, options.Count - plans.Count))
                .Select(_ => options.Relight ? RelightPlan(random, options) : EditPlan(random, options))];
            plans.AddRange(some.Select(p => p with { Noise = (long)(random.NextBits() >> 1) }));
        }
        return [.. plans];
    }

    /// <summary>Draws some grids in one batch.</summary>
    public static IReadOnlyList<Picture> DrawGrids(
        TextToImagePipeline teacher, IReadOnlyList<GridPlan> plans, TeacherGridOptions options, CancellationToken cancellationToken) => teacher.Generate(
        [.. plans.Select(p => new TextToImageRequest(p.Grid, p.Noise))],
        new TextToImageOptions { Width = 2 * options.PanelSize, Height = options.PanelSize, Steps = options.Steps, Guidance = options.Guidance },
        cancellationToken: cancellationToken);

    /// <summary>Cuts a grid into its panels.</summary>
    public static GridPair Cut(Picture grid, GridPlan plan, int panelSize)
    {
        IReadOnlyList<Picture> panels = PanelCutter.Cut(grid, GridLayout.OneByTwo, new PanelCutterOptions { PanelWidth = panelSize, PanelHeight = panelSize });
        return new GridPair(panels[0], panels[1], plan);
    }

    private static GridPlan EditPlan(WorldRandom random, TeacherGridOptions options)
    {
        Subject subject = WorldSampler.SampleSubject(random);
        Context[] contexts = [WorldSampler.SampleContext(random), WorldSampler.SampleContext(random)];
        Caption grid = Captions.Grid(subject, contexts, random.NextBits(), options.Style, random.Chance(options.WholeSubjectShare));
        // A prompt states of its panel what the grid's prompt states: what the teacher drew of the rest is unknown.
        return new GridPlan(
            subject,
            contexts[0],
            contexts[1],
            grid.Text,
            Captions.EditStating(contexts[0], grid.ContextMasks[0], random.NextBits(), options.Style).Text,
            Captions.EditStating(contexts[1], grid.ContextMasks[1], random.NextBits(), options.Style).Text,
            Noise: 0);
    }

    private static GridPlan RelightPlan(WorldRandom random, TeacherGridOptions options)
    {
        Subject subject = WorldSampler.SampleSubject(random);
        Context context = WorldSampler.SampleContext(random);
        Light other = WorldSampler.OtherLight(context.Light, random);
        return new GridPlan(
            subject,
            context,
            context with { Light = other },
            Captions.RelightGrid(subject, context, context.Light, other, random.NextBits(), options.Style, random.Chance(options.WholeSubjectShare)).Text,
            Captions.Relight(context.Light, random.NextBits(), options.Style).Text,
            Captions.Relight(other, random.NextBits(), options.Style).Text,
            Noise: 0);
    }
}
