using Dsd.Imaging;
using Dsd.Tiny.World;

namespace Dsd.Lab.Training;

/// <summary>
/// Where a drawn panel tells who its subject is. An ear is a hundredth of a picture, so that a loss over all of it hardly minds which ears are drawn. With
/// these weights each attribute that is seen counts the same, however small it is.
/// </summary>
internal static class SubjectDetail
{
    // In 0…255: what the eye would call another colour.
    private const int Differs = 24;

    /// <summary>Weights of a panel's tokens, row by row: 1 on average, and at least 1 / (1 + <paramref name="detail"/>).</summary>
    /// <param name="panel">Who is seen, and where.</param>
    /// <param name="size">The panel's side in pixels, a multiple of <paramref name="tokenSide"/>.</param>
    /// <param name="tokenSide">A token's side in pixels.</param>
    /// <param name="detail">How much the details count together, where the whole panel counts 1; at least 0.</param>
    public static float[] Weights(WorldPanel panel, int size, int tokenSide, double detail)
    {
        int side = size / tokenSide;
        double[] sum = new double[side * side];
        int seen = 0;
        Picture whole = Renderer.Draw(panel.Subject, panel.Context, size);
        for (int attribute = 0; attribute < Subject.Kinds.Count; attribute++)
        {
            if (Changed(panel.Subject, attribute) is not { } other)
            {
                continue;
            }
            int[] counts = Differences(whole, Renderer.Draw(other, panel.Context, size), tokenSide);
            double all = counts.Sum();
            if (all > 0)
            {
                seen++;
                for (int i = 0; i < sum.Length; i++)
                {
                    sum[i] += counts[i] / all;
                }
            }
        }
        return [.. sum.Select(share => (float)((1 + (seen > 0 ? detail * share * sum.Length / seen : detail)) / (1 + detail)))];
    }

    /// <summary>The subject with another value of one attribute, which one is decided by the subject; null for the colour of what it does not have.</summary>
    internal static Subject? Changed(Subject subject, int attribute)
    {
        int[] values = subject.Values;
        AttributeKind kind = Subject.Kinds[attribute];
        bool isColor = kind.Name.EndsWith("_color", StringComparison.Ordinal);
        if (isColor && values[attribute] == 0)
        {
            return null;
        }
        WorldRandom random = new(WorldRandom.Mix((ulong)subject.Key) ^ (ulong)attribute);
        int first = random.Next(kind.Count);
        // A pattern or an accessory that comes or goes takes its colour along.
        bool hasColor = attribute + 1 < values.Length && Subject.Kinds[attribute + 1].Name == $"{kind.Name}_color";
        int colors = hasColor ? Subject.Kinds[attribute + 1].Count : 1;
        for (int i = 0; i < kind.Count; i++)
        {
            int value = (first + i) % kind.Count;
            if (value == values[attribute])
            {
                continue;
            }
            for (int color = 0; color < colors; color++)
            {
                int[] changed = [.. values];
                changed[attribute] = value;
                if (hasColor)
                {
                    changed[attribute + 1] = (values[attribute + 1] + color) % colors;
                }
                Subject other = Subject.FromValues(changed);
                if (other.IsValid)
                {
                    return other;
                }
            }
        }
        return null;
    }

    /// <summary>Pixels of each token in which two pictures differ.</summary>
    private static int[] Differences(Picture a, Picture b, int tokenSide)
    {
        int side = a.Width / tokenSide;
        int[] counts = new int[side * side];
        ReadOnlySpan<byte> left = a.Pixels;
        ReadOnlySpan<byte> right = b.Pixels;
        for (int y = 0, i = 0; y < a.Height; y++)
        {
            for (int x = 0; x < a.Width; x++, i += 3)
            {
                if (Math.Abs(left[i] - right[i]) > Differs || Math.Abs(left[i + 1] - right[i + 1]) > Differs || Math.Abs(left[i + 2] - right[i + 2]) > Differs)
                {
                    counts[y / tokenSide * side + x / tokenSide]++;
                }
            }
        }
        return counts;
    }
}
