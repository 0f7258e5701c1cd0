namespace Dsd.Evaluation.Networks;

/// <summary>
/// What a vision network adds to its tokens to tell where they stand: a row for the class token, then one for each patch. A table for another number of
/// patches is scaled as transformers scales it: cubic with a = −0.75, without antialiasing, edges repeated.
/// </summary>
internal static class PositionTable
{
    private const double A = -0.75;
    private const int Taps = 4;

    /// <summary>The table [1 + rows · columns, width] for a grid of patches.</summary>
    /// <param name="table">The checkpoint's: [1 + side · side, width].</param>
    /// <param name="width">Channels of a row.</param>
    /// <param name="side">Patches along each side in the checkpoint.</param>
    /// <param name="rows">Patches down.</param>
    /// <param name="columns">Patches across.</param>
    public static float[] For(float[] table, int width, int side, int rows, int columns)
    {
        if (rows == side && columns == side)
        {
            return table;
        }
        float[] scaled = new float[(1 + rows * columns) * width];
        table.AsSpan(0, width).CopyTo(scaled);
        (int[] Places, double[] Weights)[] across = [.. Enumerable.Range(0, columns).Select(i => Neighbours(i, side, columns))];
        for (int y = 0; y < rows; y++)
        {
            (int[] down, double[] downWeights) = Neighbours(y, side, rows);
            for (int x = 0; x < columns; x++)
            {
                Span<float> to = scaled.AsSpan((1 + y * columns + x) * width, width);
                for (int c = 0; c < width; c++)
                {
                    double sum = 0;
                    for (int i = 0; i < Taps; i++)
                    {
                        for (int j = 0; j < Taps; j++)
                        {
                            sum += downWeights[i] * across[x].Weights[j] * table[(1 + down[i] * side + across[x].Places[j]) * width + c];
                        }
                    }
                    to[c] = (float)sum;
                }
            }
        }
        return scaled;
    }

    private static (int[] Places, double[] Weights) Neighbours(int place, int from, int to)
    {
        double real = (place + 0.5) * from / to - 0.5;
        int floor = (int)Math.Floor(real);
        double after = real - floor;
        return (
            [.. Enumerable.Range(floor - 1, Taps).Select(i => Math.Clamp(i, 0, from - 1))],
            [Outer(after + 1), Inner(after), Inner(1 - after), Outer(2 - after)]);
    }

    private static double Inner(double x) => ((A + 2) * x - (A + 3)) * x * x + 1;

    private static double Outer(double x) => ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;
}
