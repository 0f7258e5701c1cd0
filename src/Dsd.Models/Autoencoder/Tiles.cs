using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Autoencoder;

/// <summary>Work on large pictures tile by tile: tiles overlap by a quarter, and where they do, one fades linearly into the next.</summary>
internal static class Tiles
{
    /// <summary>What a function makes of each tile of x, put together again.</summary>
    /// <param name="x">[batch, channels, height, width].</param>
    /// <param name="tile">Side of a tile of x, at least 4. Where x is no larger in either direction, the function gets all of x.</param>
    /// <param name="result">Pixels of the result for so many of x: the same number of times as many, or of that part, in both directions.</param>
    /// <param name="of">The function: [batch, channels, tile height, tile width] to [batch, other channels, result of these].</param>
    public static Tensor Map(Tensor x, int tile, Func<long, long> result, Func<Tensor, Tensor> of)
    {
        (long height, long width) = (x.shape[2], x.shape[3]);
        if (height <= tile && width <= tile)
        {
            return of(x);
        }
        using DisposeScope scope = NewDisposeScope();
        Tensor? sum = null;
        Tensor? weights = null;
        foreach (long top in Starts(height, tile))
        {
            foreach (long left in Starts(width, tile))
            {
                using DisposeScope inner = NewDisposeScope();
                Tensor made = of(x.narrow(2, top, Math.Min(tile, height)).narrow(3, left, Math.Min(tile, width)));
                (long rows, long columns) = (made.shape[2], made.shape[3]);
                // In float32, or the seams would be rounded visibly.
                Tensor weight = Fade(rows, result(tile) / 4, x.device).unsqueeze(1) * Fade(columns, result(tile) / 4, x.device); // [rows, columns]
                sum ??= zeros([x.shape[0], made.shape[1], result(height), result(width)], device: x.device).MoveToOuterDisposeScope();
                weights ??= zeros([result(height), result(width)], device: x.device).MoveToOuterDisposeScope();
                Part(sum, 2, 3).AddInPlace(made.to(ScalarType.Float32) * weight);
                Part(weights, 0, 1).AddInPlace(weight);

                Tensor Part(Tensor whole, long vertical, long horizontal) =>
                    whole.narrow(vertical, result(top), rows).narrow(horizontal, result(left), columns);
            }
        }
        return (sum! / weights!).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Where tiles begin along a side: three quarters of a tile apart, the last one at the end.</summary>
    internal static IEnumerable<long> Starts(long side, int tile)
    {
        long step = tile - (tile / 4);
        for (long start = 0; start + tile < side; start += step)
        {
            yield return start;
        }
        yield return Math.Max(0, side - tile);
    }

    // Rises over the overlap, and falls at the other end. At the picture's own edges the division by the sum makes it whole again.
    private static Tensor Fade(long length, long overlap, Device device)
    {
        Tensor rise = TensorMath.Range(length, ScalarType.Float32, device).Plus(1).Over(overlap + 1);
        return minimum(minimum(rise, rise.flip(0)), ones(length, device: device));
    }
}
