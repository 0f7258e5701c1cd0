using TorchSharp;
using static TorchSharp.torch;

namespace Dsd.Models.Sampling;

/// <summary>How latents become tokens: places are packed 2 × 2, and each token knows its row and column.</summary>
public static class LatentPacking
{
    /// <summary>Packs latents into tokens.</summary>
    /// <param name="latents">[batch, channels, height, width], height and width even.</param>
    /// <returns>[batch, height / 2 · width / 2, 4 · channels], rows first.</returns>
    /// <exception cref="ArgumentException">A side is odd.</exception>
    public static Tensor Pack(Tensor latents)
    {
        ArgumentNullException.ThrowIfNull(latents);
        using DisposeScope scope = NewDisposeScope();
        long[] shape = latents.shape;
        if (shape.Length != 4 || shape[2] % 2 != 0 || shape[3] % 2 != 0)
        {
            throw new ArgumentException($"Latents must be [batch, channels, height, width] with even height and width, but are [{string.Join(", ", shape)}].", nameof(latents));
        }
        (long batch, long channels, long rows, long columns) = (shape[0], shape[1], shape[2] / 2, shape[3] / 2);
        return latents
            .reshape(batch, channels, rows, 2, columns, 2)
            .permute(0, 2, 4, 1, 3, 5)
            .reshape(batch, rows * columns, 4 * channels)
            .MoveToOuterDisposeScope();
    }

    /// <summary>The reverse of <see cref="Pack"/>.</summary>
    /// <param name="tokens">[batch, height / 2 · width / 2, 4 · channels].</param>
    /// <param name="height">Height of the latents, even.</param>
    /// <param name="width">Width of the latents, even.</param>
    /// <returns>[batch, channels, height, width].</returns>
    /// <exception cref="ArgumentException">The tokens are not as many as the size says.</exception>
    public static Tensor Unpack(Tensor tokens, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        using DisposeScope scope = NewDisposeScope();
        long[] shape = tokens.shape;
        (long rows, long columns) = (height / 2, width / 2);
        if (shape.Length != 3 || height % 2 != 0 || width % 2 != 0 || shape[1] != rows * columns || shape[2] % 4 != 0)
        {
            throw new ArgumentException($"Tokens of latents {height} × {width} must be [batch, {rows * columns}, 4 · channels], but are [{string.Join(", ", shape)}].", nameof(tokens));
        }
        return tokens
            .reshape(shape[0], rows, columns, shape[2] / 4, 2, 2)
            .permute(0, 3, 1, 4, 2, 5)
            .reshape(shape[0], shape[2] / 4, height, width)
            .MoveToOuterDisposeScope();
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
