using Dsd.Models.Families;
using Dsd.Models.Sampling;

namespace Dsd.Models.Training.Cache;

/// <summary>The sizes that frames have in a run, and which of them suits a picture.</summary>
/// <remarks>
/// Frames of one area differ in their shorter side by an eighth of the square's, down to half of it, so that sides are up to 4 to 1: nine sizes for
/// 512 × 512. More would cut away less of each picture, and leave fewer examples to shuffle in each.
/// </remarks>
internal sealed class AspectBuckets
{
    private const int Unit = 16;
    // The buckets of each area, from the smallest area up.
    private readonly int[][] _areas;
    private readonly Func<int, int, Canvas> _canvasOf;
    private readonly FrameOrder _order;

    /// <summary>The sizes that a run's options ask for.</summary>
    /// <exception cref="ArgumentException">A size does not come out as whole tokens of the model, or none of an area's does.</exception>
    public AspectBuckets(DiffusionModel model, LoraTrainingOptions options)
        : this(model.CanvasOf, model.Frames, options)
    {
    }

    /// <summary>The sizes that a run's options ask for, of a model that need not be loaded.</summary>
    /// <param name="canvasOf">The sizes of a picture that the model draws; throws where it does not come out as whole tokens.</param>
    /// <param name="order">How reference and result lie on a canvas.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentException">A size does not come out as whole tokens of the model, or none of an area's does.</exception>
    public AspectBuckets(Func<int, int, Canvas> canvasOf, FrameOrder order, LoraTrainingOptions options)
    {
        (_canvasOf, _order) = (canvasOf, order);
        if (options.Resolutions.Count > 0 && !options.Buckets)
        {
            throw new ArgumentException(
                $"Option {nameof(options.Resolutions)} is for frames of several sizes, but option {nameof(options.Buckets)} is false: set it, or leave "
                    + $"{nameof(options.Resolutions)} out.",
                nameof(options));
        }
        try
        {
            (All, _areas) = Sizes(options);
        }
        catch (ArgumentException e)
        {
            string asked = options.Buckets && options.Resolutions.Count > 0
                ? $"Option {nameof(options.Resolutions)}"
                : $"Options {nameof(options.Width)} and {nameof(options.Height)}";
            throw new ArgumentException($"{asked}: {e.Message}", nameof(options), e);
        }
    }

    /// <summary>The sizes.</summary>
    public IReadOnlyList<Bucket> All { get; }

    /// <summary>The canvas that takes most.</summary>
    public Canvas Largest => All.MaxBy(b => b.Canvas.Tokens)!.Canvas;

    /// <summary>Pixels of the largest canvas.</summary>
    public long MostPixels => All.Max(b => (long)b.Canvas.Width * b.Canvas.Height);

    private (IReadOnlyList<Bucket> All, int[][] Areas) Sizes(LoraTrainingOptions options)
    {
        if (!options.Buckets)
        {
            return ([Whole(options.Width, options.Height)], [[0]]);
        }
        List<Bucket> all = [];
        List<int[]> areas = [];
        (long Area, string Words, IEnumerable<(int, int)> Frames)[] asked = options.Resolutions.Count == 0
            ? [((long)options.Width * options.Height, $"{options.Width} × {options.Height}", [(options.Width, options.Height)])]
            : [.. options.Resolutions.Distinct().Order().Select(side => ((long)side * side, $"{side} × {side}", Enumerable.Empty<(int, int)>()))];
        foreach ((long area, string words, IEnumerable<(int, int)> frames) in asked)
        {
            List<int> own = [];
            foreach ((int width, int height) in frames.Concat(OfArea(area)).Distinct())
            {
                if (Fitting(width, height) is { } bucket)
                {
                    own.Add(all.Count);
                    all.Add(bucket);
                }
            }
            if (own.Count == 0)
            {
                throw new ArgumentException(
                    $"No frame of about {words} pixels comes out as whole tokens of this model: choose a larger area.", nameof(options));
            }
            areas.Add([.. own]);
        }
        return (all, [.. areas]);
    }

    /// <summary>
    /// The size for a pair: of the largest area that its target fills without being enlarged, or of the smallest area, the size whose aspect ratio is
    /// nearest the target's.
    /// </summary>
    /// <param name="width">The target's width.</param>
    /// <param name="height">The target's height.</param>
    public int Of(int width, int height)
    {
        int best = Nearest(_areas[^1]);
        for (int i = _areas.Length - 2; i >= 0 && (width < All[best].Frames.Width || height < All[best].Frames.Height); i--)
        {
            best = Nearest(_areas[i]);
        }
        return best;

        int Nearest(int[] buckets) => buckets.MinBy(
            b => Math.Abs(Math.Log((double)width / height * All[b].Frames.Height / All[b].Frames.Width)));
    }

    /// <summary>Sizes of about an area, the squarest first.</summary>
    internal static IEnumerable<(int Width, int Height)> OfArea(long area)
    {
        double side = Math.Sqrt(area);
        int step = Math.Max(Unit, (int)(side / 8) / Unit * Unit);
        for (int shorter = Rounded(side); shorter >= Math.Max(Unit, side / 2); shorter -= step)
        {
            int longer = Rounded(area / (double)shorter);
            yield return (shorter, longer);
            yield return (longer, shorter);
        }
    }

    private static int Rounded(double side) => Math.Max(Unit, (int)Math.Round(side / Unit) * Unit);

    private Bucket? Fitting(int width, int height)
    {
        try
        {
            return Whole(width, height);
        }
        catch (ArgumentException)
        {
            // The model's tokens are larger than 16 pixels: a neighbour fits.
            return null;
        }
    }

    private Bucket Whole(int width, int height)
    {
        // Each frame has to come out as whole tokens, not only both together.
        _canvasOf(width, height);
        TwoFrames frames = new(width, height, _order);
        return new Bucket(frames, _canvasOf(frames.CanvasWidth, frames.CanvasHeight));
    }
}
