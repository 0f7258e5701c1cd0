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

    /// <summary>The sizes that a run's options ask for.</summary>
    /// <exception cref="ArgumentException">A size does not come out as whole tokens of the model, or none of an area's does.</exception>
    public AspectBuckets(DiffusionModel model, LoraTrainingOptions options)
    {
        if (!options.Buckets)
        {
            All = [Whole(model, options.Width, options.Height)];
            _areas = [[0]];
            return;
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
                if (Fitting(model, width, height) is { } bucket)
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
        All = all;
        _areas = [.. areas];
    }

    /// <summary>The sizes.</summary>
    public IReadOnlyList<Bucket> All { get; }

    /// <summary>Pixels of the largest canvas.</summary>
    public long MostPixels => All.Max(b => (long)b.Canvas.Width * b.Canvas.Height);

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

    private static Bucket? Fitting(DiffusionModel model, int width, int height)
    {
        try
        {
            return Whole(model, width, height);
        }
        catch (ArgumentException)
        {
            // The model's tokens are larger than 16 pixels: a neighbour fits.
            return null;
        }
    }

    private static Bucket Whole(DiffusionModel model, int width, int height)
    {
        // Each frame has to come out as whole tokens, not only both together.
        model.CanvasOf(width, height);
        TwoFrames frames = new(width, height, model.Frames);
        return new Bucket(frames, model.CanvasOf(frames.CanvasWidth, frames.CanvasHeight));
    }
}
