using Dsd.Imaging;
using Dsd.Models.Layers;
using Dsd.Models.Sampling;
using Dsd.Tiny.Classifier;
using Dsd.Tiny.World;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Lab.Measure;

/// <summary>
/// Measures whether a teacher looks from panel to panel: the left panel of a grid is held at a true picture in every step, and the right one is read.
/// </summary>
/// <remarks>
/// Held pictures are encoded alone and right panels decoded alone: beside each other, the autoencoder would carry a little from one to the other.
/// </remarks>
internal static class LookAcross
{
    /// <summary>All figures of a teacher: its subject held, another one held, and its subject held with nothing said of it, with and without noise.</summary>
    /// <param name="teacher">The teacher.</param>
    /// <param name="classifier">Reads what it drew.</param>
    /// <param name="options">How many subjects, and how they are drawn.</param>
    /// <param name="log">Gets a line for each of the figures.</param>
    /// <param name="cancellationToken">Checked between steps.</param>
    /// <returns>The figures, and sheets of the held pictures with what was drawn beside them.</returns>
    public static (IReadOnlyList<LookFigures> Figures, IReadOnlyList<Picture> Sheet) Measure(
        TextToImagePipeline teacher, AttributeClassifier classifier, LookOptions options, Action<string> log, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(classifier);
        ArgumentNullException.ThrowIfNull(options);
        LookCase[] own = LookCase.Draw(options.Subjects, options.Seed);
        List<LookFigures> figures = [];
        List<Picture> sheet = [];
        foreach (HeldNoise noise in Enum.GetValues<HeldNoise>())
        {
            foreach ((string name, LookCase[] cases) in new[]
            {
                ("its subject held", own), ("another subject held", LookCase.WithOthers(own)), ("its subject held, nothing said of it", LookCase.Unnamed(own)),
            })
            {
                List<Picture> right = [];
                foreach (LookCase[] part in cases.Chunk(options.Batch))
                {
                    right.AddRange(Draw(teacher, part, noise, options, cancellationToken));
                }
                figures.Add(LookFigures.Of(name, noise, cases, classifier.Read(right)));
                log(LookText.Line(figures[^1]));
                sheet.AddRange(cases.Zip(right).Take(options.Shown).SelectMany(pair => new[] { Reference(pair.First, options.PanelSize), pair.Second }));
            }
        }
        return (figures, sheet);
    }

    /// <summary>Right panels of grids whose left panels are held.</summary>
    public static IReadOnlyList<Picture> Draw(
        TextToImagePipeline teacher, IReadOnlyList<LookCase> cases, HeldNoise noise, LookOptions options, CancellationToken cancellationToken = default)
    {
        using DisposeScope scope = NewDisposeScope();
        int side = options.PanelSize;
        TextToImageOptions panel = new() { Width = side, Height = side, Steps = options.Steps, Guidance = options.Guidance };
        Canvas grid = teacher.Model.CanvasOf(2 * side, side);
        Tensor reference = teacher.Model.Encode(
            [.. cases.Select(one => Reference(one, side))], teacher.Model.CanvasOf(side, side)); // [grids, tokens, channels]
        Tensor start = new Generation<Tensor>(teacher.Model).Noise([.. cases.Select(c => c.Seed)], grid);
        (Tensor left, Tensor right) = (Tokens(grid, 0, start.device), Tokens(grid, 1, start.device));
        Tensor startLeft = start.index_select(1, left);
        using Tensor drawn = teacher.GenerateLatents(
            [.. cases.Select(c => new TextToImageRequest(c.Caption.Text, c.Seed))],
            panel with { Width = 2 * side },
            new LatentOptions { Initial = Hold(start, sigma: 1), OnStep = step => Hold(step.Latents, step.Sigma) },
            cancellationToken: cancellationToken);
        return teacher.Decode(drawn.index_select(1, right), panel);

        Tensor Hold(Tensor latents, float sigma)
        {
            float level = noise == HeldNoise.Clean ? 0 : sigma;
            return latents.index_copy(1, left, reference.Times(1 - level).Plus(startLeft.Times(level)));
        }
    }

    /// <summary>The picture in the left panel.</summary>
    public static Picture Reference(LookCase one, int panelSize) => Renderer.Draw(one.Held, one.Left, panelSize);

    // Tokens stand row by row over the whole grid.
    private static Tensor Tokens(Canvas grid, int panel, Device device)
    {
        (int columns, int side) = (grid.LatentWidth / grid.Patch, grid.LatentWidth / grid.Patch / 2);
        return tensor([.. Enumerable.Range(0, grid.Tokens).Where(i => i % columns / side == panel).Select(i => (long)i)], device: device);
    }
}
