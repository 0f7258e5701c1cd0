using Dsd.Imaging;

namespace Dsd.Evaluation.Pictures;

/// <summary>
/// A part of a picture that is scaled as Pillow or torchvision scales it. Pixels outside the part are not computed, which changes none of those within.
/// </summary>
/// <param name="Width">Width of the whole scaled picture.</param>
/// <param name="Height">Height of the whole scaled picture.</param>
/// <param name="Left">The part's first column.</param>
/// <param name="Top">The part's first row.</param>
/// <param name="PartWidth">The part's width.</param>
/// <param name="PartHeight">The part's height.</param>
internal readonly record struct AntialiasedResize(int Width, int Height, int Left, int Top, int PartWidth, int PartHeight)
{
    private const int Channels = 3;
    private const int MostBits = 22;

    /// <summary>The part in bytes, rounded after each pass.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="narrowWeights">Whether weights have 16 bits, as torchvision's, and not 32, as Pillow's.</param>
    public Picture Bytes(Picture picture, bool narrowWeights)
    {
        Whole across = Whole.Of(CubicWeights<double>.Of(picture.Width, Width, Left, PartWidth), narrowWeights);
        Whole down = Whole.Of(CubicWeights<double>.Of(picture.Height, Height, Top, PartHeight), narrowWeights);
        (int firstRow, int rows) = Rows(down.First, down.Weights);
        int stride = Channels * PartWidth;

        byte[] narrow = new byte[rows * stride];
        for (int y = 0; y < rows; y++)
        {
            ReadOnlySpan<byte> from = picture.Pixels.Slice((firstRow + y) * picture.Width * Channels, picture.Width * Channels);
            Span<byte> to = narrow.AsSpan(y * stride, stride);
            for (int x = 0; x < PartWidth; x++)
            {
                int[] weights = across.Weights[x];
                ReadOnlySpan<byte> taps = from.Slice(across.First[x] * Channels, weights.Length * Channels);
                int red = across.Half;
                int green = across.Half;
                int blue = across.Half;
                for (int j = 0, k = 0; j < weights.Length; j++, k += Channels)
                {
                    red += taps[k] * weights[j];
                    green += taps[k + 1] * weights[j];
                    blue += taps[k + 2] * weights[j];
                }
                to[x * Channels] = across.Byte(red);
                to[x * Channels + 1] = across.Byte(green);
                to[x * Channels + 2] = across.Byte(blue);
            }
        }

        byte[] part = new byte[PartHeight * stride];
        int[] sums = new int[stride];
        for (int y = 0; y < PartHeight; y++)
        {
            Array.Fill(sums, down.Half);
            for (int j = 0; j < down.Weights[y].Length; j++)
            {
                int weight = down.Weights[y][j];
                ReadOnlySpan<byte> row = narrow.AsSpan((down.First[y] - firstRow + j) * stride, stride);
                for (int x = 0; x < row.Length; x++)
                {
                    sums[x] += row[x] * weight;
                }
            }
            for (int x = 0; x < stride; x++)
            {
                part[y * stride + x] = down.Byte(sums[x]);
            }
        }
        return new Picture(PartWidth, PartHeight, part);
    }

    /// <summary>The part in real numbers, where 0 is black and 1 is white: [height, width, 3].</summary>
    public float[] Floats(Picture picture)
    {
        CubicWeights<float> across = CubicWeights<float>.Of(picture.Width, Width, Left, PartWidth);
        CubicWeights<float> down = CubicWeights<float>.Of(picture.Height, Height, Top, PartHeight);
        (int firstRow, int rows) = Rows(down.First, down.Weights);
        int stride = Channels * PartWidth;

        float[] narrow = new float[rows * stride];
        float[] from = new float[picture.Width * Channels];
        for (int y = 0; y < rows; y++)
        {
            ReadOnlySpan<byte> bytes = picture.Pixels.Slice((firstRow + y) * from.Length, from.Length);
            for (int x = 0; x < from.Length; x++)
            {
                from[x] = bytes[x] / 255f;
            }
            for (int x = 0; x < PartWidth; x++)
            {
                float[] weights = across.Weights[x];
                ReadOnlySpan<float> taps = from.AsSpan(across.First[x] * Channels, weights.Length * Channels);
                Span<float> to = narrow.AsSpan(y * stride + x * Channels, Channels);
                for (int j = 0, k = 0; j < weights.Length; j++, k += Channels)
                {
                    to[0] += taps[k] * weights[j];
                    to[1] += taps[k + 1] * weights[j];
                    to[2] += taps[k + 2] * weights[j];
                }
            }
        }

        float[] part = new float[PartHeight * stride];
        for (int y = 0; y < PartHeight; y++)
        {
            Span<float> to = part.AsSpan(y * stride, stride);
            for (int j = 0; j < down.Weights[y].Length; j++)
            {
                float weight = down.Weights[y][j];
                ReadOnlySpan<float> row = narrow.AsSpan((down.First[y] - firstRow + j) * stride, stride);
                for (int x = 0; x < row.Length; x++)
                {
                    to[x] += row[x] * weight;
                }
            }
        }
        return part;
    }

    /// <summary>The rows of the picture that the part is made of.</summary>
    private static (int First, int Count) Rows<T>(int[] first, T[][] weights) => (first[0], first[^1] + weights[^1].Length - first[0]);

    /// <summary>Weights as whole numbers.</summary>
    /// <param name="First">For each pixel the first one that it is made of.</param>
    /// <param name="Weights">For each pixel the weights.</param>
    /// <param name="Bits">Binary places of the weights.</param>
    private sealed record Whole(int[] First, int[][] Weights, int Bits)
    {
        /// <summary>What a sum begins with, so that cutting off its places rounds it.</summary>
        public int Half => 1 << (Bits - 1);

        public byte Byte(int sum) => (byte)Math.Clamp(sum >> Bits, byte.MinValue, byte.MaxValue);

        public static Whole Of(CubicWeights<double> real, bool narrow)
        {
            int bits = MostBits;
            if (narrow)
            {
                // As many places as leave the largest weight in 16 bits with a sign.
                for (bits = 0; bits < MostBits && (int)(0.5 + real.Largest * (1 << (bits + 1))) <= short.MaxValue; bits++)
                {
                }
            }
            double one = 1 << bits;
            return new Whole(real.First, [.. real.Weights.Select(row => row.Select(w => (int)(w * one + (w < 0 ? -0.5 : 0.5))).ToArray())], bits);
        }
    }
}
