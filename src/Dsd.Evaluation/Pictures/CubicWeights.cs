using System.Numerics;

namespace Dsd.Evaluation.Pictures;

/// <summary>
/// What each pixel of a scaled line is made of: neighbouring pixels of the line that was there, and their weights. Cubic with a = −0.5; where the line
/// shrinks the curve is widened by as much, which is what keeps out patterns that are not in the picture.
/// </summary>
/// <typeparam name="T">The precision that weights are computed in, which decides on their last digits.</typeparam>
internal sealed class CubicWeights<T>
    where T : IFloatingPointIeee754<T>
{
    private const double Reach = 2;
    private static readonly T A = T.CreateChecked(-0.5);

    private CubicWeights(int[] first, T[][] weights, T largest) => (First, Weights, Largest) = (first, weights, largest);

    /// <summary>For each pixel the first one that it is made of.</summary>
    public int[] First { get; }

    /// <summary>For each pixel the weights, whose sum is 1.</summary>
    public T[][] Weights { get; }

    /// <summary>The largest weight of the whole line, those pixels included that are not wanted.</summary>
    public T Largest { get; }

    /// <summary>The weights of some pixels of a scaled line.</summary>
    /// <param name="from">Pixels of the line that was there.</param>
    /// <param name="to">Pixels of the scaled line.</param>
    /// <param name="begin">The first pixel that is wanted.</param>
    /// <param name="count">How many are wanted.</param>
    public static CubicWeights<T> Of(int from, int to, int begin, int count)
    {
        T half = T.CreateChecked(0.5);
        T scale = T.CreateChecked(from) / T.CreateChecked(to);
        T widened = T.Max(scale, T.One);
        T reach = T.CreateChecked(Reach) * widened;
        T narrowing = T.One / widened;
        int[] first = new int[count];
        T[][] weights = new T[count][];
        T largest = T.Zero;
        T[] row = new T[2 * int.CreateChecked(T.Ceiling(reach)) + 1];
        for (int i = 0; i < to; i++)
        {
            T centre = scale * (T.CreateChecked(i) + half);
            int left = Math.Max(int.CreateTruncating(centre - reach + half), 0);
            int right = Math.Min(int.CreateTruncating(centre + reach + half), from);
            Span<T> taps = row.AsSpan(0, right - left);
            T sum = T.Zero;
            for (int j = 0; j < taps.Length; j++)
            {
                taps[j] = Cubic((T.CreateChecked(j + left) - centre + half) * narrowing);
                sum += taps[j];
            }
            for (int j = 0; j < taps.Length; j++)
            {
                taps[j] /= sum;
                largest = T.Max(largest, taps[j]);
            }
            if (i >= begin && i < begin + count)
            {
                (first[i - begin], weights[i - begin]) = (left, taps.ToArray());
            }
        }
        return new CubicWeights<T>(first, weights, largest);
    }

    private static T Cubic(T x)
    {
        x = T.Abs(x);
        T two = T.CreateChecked(2);
        T three = T.CreateChecked(3);
        return x < T.One ? ((A + two) * x - (A + three)) * x * x + T.One
            : x < two ? (((x - T.CreateChecked(5)) * x + T.CreateChecked(8)) * x - T.CreateChecked(4)) * A
            : T.Zero;
    }
}
