using Dsd.Curation.Grids;
using Dsd.Imaging;
using Dsd.Lab.Training;
using Dsd.Models.Sampling;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Judge;

/// <summary>
/// Panels in the teacher's own hand whose truth is known: true grids, noised part of the way and drawn to the end by the teacher, which is told the truth.
/// </summary>
/// <remarks>
/// A judge that has only seen drawings does not know how a teacher smears an ear. Where noise has not hidden what the drawing shows, the teacher keeps it
/// (Meng et al. 2022, SDEdit); so labels are nearly always right, and nobody but the world has to say them.
/// </remarks>
/// <param name="size">Side of a panel in pixels.</param>
/// <param name="pictures">The panels, both of a grid one after the other.</param>
/// <param name="subjects">The subject of each grid.</param>
internal sealed class RedrawnPanels(int size, IReadOnlyList<Picture> pictures, IReadOnlyList<Subject> subjects)
{
    private const int DrawBatch = 256;

    public int Grids => subjects.Count;

    /// <summary>Both panels of a grid.</summary>
    public (Picture Left, Picture Right) Grid(int i) => (pictures[2 * i], pictures[2 * i + 1]);

    /// <summary>Who is in a grid.</summary>
    public Subject SubjectOf(int grid) => subjects[grid];

    /// <summary>Draws a grid for each subject.</summary>
    /// <param name="teacher">The teacher.</param>
    /// <param name="size">Side of a panel in pixels.</param>
    /// <param name="subjects">Who is drawn.</param>
    /// <param name="options">From which noise on, in how many steps.</param>
    /// <param name="guidance">The guidance that the teacher is given.</param>
    /// <param name="seed">Decides contexts, words and noise.</param>
    /// <param name="cancellationToken">Checked between steps.</param>
    public static RedrawnPanels Draw(
        TextToImagePipeline teacher, int size, IReadOnlyList<Subject> subjects, JudgeStageConfig options, float guidance, ulong seed,
        CancellationToken cancellationToken)
    {
        WorldRandom random = new(seed);
        List<Picture> panels = [];
        foreach (Subject[] part in subjects.Chunk(DrawBatch))
        {
            foreach (Picture grid in DrawPart(teacher, size, part, options, guidance, random, cancellationToken))
            {
                panels.AddRange(PanelCutter.Cut(grid, GridLayout.OneByTwo, new PanelCutterOptions { PanelWidth = size, PanelHeight = size }));
            }
        }
        return new RedrawnPanels(size, panels, [.. subjects]);
    }

    /// <summary>Some of the panels, which ones is decided by the step: images [count, 3, size, size] in −1…1 and values [count, attributes].</summary>
    public (Tensor Images, Tensor Values) Take(long step, int count, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        WorldRandom random = new(WorldRandom.Mix((ulong)step) ^ 0x4ED4A3);
        int[] chosen = [.. Enumerable.Range(0, count).Select(_ => random.Next(pictures.Count))];
        byte[] pixels = new byte[3 * size * size * count];
        foreach ((int place, int i) in chosen.Index())
        {
            pictures[i].Pixels.CopyTo(pixels.AsSpan(3 * size * size * place));
        }
        long[] values = [.. chosen.SelectMany(i => subjects[i / 2].Values).Select(value => (long)value)];
        Tensor images = new PictureBatch(size, size, pixels).ToTensor(device).MoveToOuterDisposeScope();
        return (images, tensor(values, [count, Subject.Kinds.Count]).to(device).MoveToOuterDisposeScope());
    }

    private static IReadOnlyList<Picture> DrawPart(
        TextToImagePipeline teacher, int size, Subject[] subjects, JudgeStageConfig options, float guidance, WorldRandom random,
        CancellationToken cancellationToken)
    {
        using DisposeScope scope = NewDisposeScope();
        (WorldGrid Grid, string Prompt, long Seed, float From)[] plans =
        [
            .. subjects.Select(subject =>
            {
                Context[] contexts = [WorldSampler.SampleContext(random), WorldSampler.SampleContext(random)];
                WorldGrid grid = new(
                    GridLayout.OneByTwo, [.. contexts.Select(context => new WorldPanel(subject, context))], random.Chance(WorldSampler.BorderedShare));
                string prompt = Captions.Grid(subject, contexts, random.NextBits(), wholeSubject: true).Text;
                double from = options.RedrawnLeast + (options.RedrawnMost - options.RedrawnLeast) * random.NextDouble();
                return (grid, prompt, (long)(random.NextBits() >> 1), (float)from);
            }),
        ];
        TextToImageOptions drawing = new() { Width = 2 * size, Height = size, Steps = options.RedrawnSteps, Guidance = guidance };
        Canvas canvas = teacher.Model.CanvasOf(2 * size, size);
        Tensor truth = teacher.Model.Encode(ProcessorThreads.Make(plans.Length, i => Renderer.Draw(plans[i].Grid, size)), canvas); // [grids, tokens, channels]
        Tensor noise = new Generation<Tensor>(teacher.Model).Noise([.. plans.Select(p => p.Seed)], canvas);
        Tensor from = tensor(plans.Select(p => p.From).ToArray(), device: noise.device).reshape(-1, 1, 1);
        using Tensor drawn = teacher.GenerateLatents(
            [.. plans.Select(p => new TextToImageRequest(p.Prompt, p.Seed))],
            drawing,
            new LatentOptions { Initial = noise, OnStep = step => where(from.less(step.Sigma), truth.lerp(noise, step.Sigma), step.Latents) },
            cancellationToken: cancellationToken);
        return teacher.Decode(drawn, drawing);
    }
}
