using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Sampling;

/// <summary>How latents become tokens: places are packed 2 × 2, and each token knows its row and column.</summary>
public static class LatentPacking
{
    /// <summary>Places a side that become one token of FLUX.</summary>
    public const int Patch = 2;

    /// <summary>Packs latents into tokens.</summary>
    /// <param name="latents">[batch, channels, height, width], height and width multiples of <paramref name="patch"/>.</param>
    /// <param name="patch">Places a side that become one token.</param>
    /// <returns>[batch, height / patch · width / patch, patch² · channels], rows first.</returns>
    /// <exception cref="ArgumentException">A side is no such multiple.</exception>
    public static Tensor Pack(Tensor latents, int patch = Patch)
    {
        ArgumentNullException.ThrowIfNull(latents);
        long[] shape = latents.shape;
        if (shape.Length != 4 || shape[2] % patch != 0 || shape[3] % patch != 0)
        {
            throw new ArgumentException(
                $"Latents must be [batch, channels, height, width] with height and width that are multiples of {patch}, but are [{string.Join(", ", shape)}].",
                nameof(latents));
        }
        using DisposeScope scope = NewDisposeScope();
        long[] order = Order((int)shape[1], (int)shape[2], (int)shape[3], patch);
        return latents.flatten(1).index_select(1, tensor(order).to(latents.device)).view(shape[0], -1, patch * patch * shape[1]).MoveToOuterDisposeScope();
    }

    /// <summary>The reverse of <see cref="Pack(Tensor, int)"/>.</summary>
    /// <param name="tokens">[batch, height / patch · width / patch, patch² · channels].</param>
    /// <param name="height">Height of the latents.</param>
    /// <param name="width">Width of the latents.</param>
    /// <param name="patch">Places a side that become one token.</param>
    /// <returns>[batch, channels, height, width].</returns>
    /// <exception cref="ArgumentException">The tokens are not as many as the size says.</exception>
    public static Tensor Unpack(Tensor tokens, int height, int width, int patch = Patch)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        long[] shape = tokens.shape;
        (long rows, long columns, int square) = (height / patch, width / patch, patch * patch);
        if (shape.Length != 3 || height % patch != 0 || width % patch != 0 || shape[1] != rows * columns || shape[2] % square != 0)
        {
            throw new ArgumentException(
                $"Tokens of latents {height} × {width} must be [batch, {rows * columns}, {square} · channels], but are [{string.Join(", ", shape)}].",
                nameof(tokens));
        }
        using DisposeScope scope = NewDisposeScope();
        long[] order = Order((int)shape[2] / square, height, width, patch);
        long[] back = new long[order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            back[order[i]] = i;
        }
        return tokens.flatten(1).index_select(1, tensor(back).to(tokens.device)).view(shape[0], shape[2] / square, height, width).MoveToOuterDisposeScope();
    }

    /// <summary>Packs one latent [channels, height, width] that lies in the host's memory.</summary>
    /// <param name="latent">Its numbers.</param>
    /// <param name="canvas">Its size.</param>
    /// <param name="tokens">Where the tokens go: as many numbers.</param>
    public static void Pack(ReadOnlySpan<float> latent, Canvas canvas, Span<float> tokens)
    {
        ArgumentNullException.ThrowIfNull(canvas);
        long[] order = Order(canvas.Channels, canvas.LatentHeight, canvas.LatentWidth, canvas.Patch);
        for (int i = 0; i < order.Length; i++)
        {
            tokens[i] = latent[(int)order[i]];
        }
    }

    /// <summary>The reverse of <see cref="Pack(ReadOnlySpan{float}, Canvas, Span{float})"/>.</summary>
    public static void Unpack(ReadOnlySpan<float> tokens, Canvas canvas, Span<float> latent)
    {
        ArgumentNullException.ThrowIfNull(canvas);
        long[] order = Order(canvas.Channels, canvas.LatentHeight, canvas.LatentWidth, canvas.Patch);
        for (int i = 0; i < order.Length; i++)
        {
            latent[(int)order[i]] = tokens[i];
        }
    }

    // Which number of a latent [channels, height, width] stands where among its tokens: rows of tokens, and in a token channel by channel, rows
    // of places first.
    private static long[] Order(int channels, int height, int width, int patch)
    {
        long[] order = new long[channels * height * width];
        int i = 0;
        for (int top = 0; top < height; top += patch)
        {
            for (int left = 0; left < width; left += patch)
            {
                for (int channel = 0; channel < channels; channel++)
                {
                    for (int place = 0; place < patch * patch; place++)
                    {
                        order[i++] = ((long)channel * height + top + place / patch) * width + left + place % patch;
                    }
                }
            }
        }
        return order;
    }

    /// <summary>Position ids of the tokens: 0, row, column for each, one after another.</summary>
    /// <param name="height">Height of the latents, even.</param>
    /// <param name="width">Width of the latents, even.</param>
    /// <returns>[height / 2 · width / 2, 3] in row-major order.</returns>
    public static float[] Positions(int height, int width)
    {
        float[] ids = new float[3 * (height / 2) * (width / 2)];
        int i = 0;
        for (int row = 0; row < height / 2; row++)
        {
            for (int column = 0; column < width / 2; column++, i += 3)
            {
                ids[i + 1] = row;
                ids[i + 2] = column;
            }
        }
        return ids;
    }

    /// <summary><see cref="Positions"/> as a float32 tensor [tokens, 3].</summary>
    public static Tensor ImageIds(int height, int width, Device? device = null) =>
        tensor(Positions(height, width), [height / 2 * (width / 2), 3], device: device);

    /// <summary>Position ids of text tokens: zeros [tokens, 3], as FLUX has them.</summary>
    public static Tensor TextIds(long tokens, Device? device = null) => zeros(tokens, 3, device: device);
}
