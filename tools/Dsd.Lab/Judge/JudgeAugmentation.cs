using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Lab.Judge;

/// <summary>Makes clean drawings look like a teacher's: shifted and scaled, blurred, off in colour, compressed, noisy.</summary>
/// <remarks>Nothing here may change an identity attribute: no flips of colour, no mirror images, no large parts hidden.</remarks>
internal static class JudgeAugmentation
{
    /// <param name="images">[batch, 3, size, size] in −1…1.</param>
    /// <param name="random">A generator on the images' device; null is the device's own.</param>
    /// <param name="roundTrip">Encodes and decodes pictures, [batch, 3, size, size] to the same; applied to the first half of them. Null for none.</param>
    public static Tensor Apply(Tensor images, Generator? random, Func<Tensor, Tensor>? roundTrip)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor x = Move(images, random);
        x = Sometimes(x, Recolour(x, random), 0.5, random);
        if (roundTrip is not null)
        {
            long decoded = (x.shape[0] + 1) / 2;
            x = cat([roundTrip(x.narrow(0, 0, decoded)).Clamped(-1, 1), x.narrow(0, decoded, x.shape[0] - decoded)], 0);
        }
        x = Sometimes(x, Blur(x, random), 0.5, random);
        x = Sometimes(x, Compress(x, random), 0.3, random);
        x = Sometimes(x, x.Plus(PerImage(x, random).Times(0.12) * randn(x.shape, device: x.device, generator: random)), 0.5, random);
        return x.Clamped(-1, 1).MoveToOuterDisposeScope();
    }

    // Every picture by its own up to 6 % of the side, scaled by up to 10 %, turned by a hair.
    private static Tensor Move(Tensor x, Generator? random)
    {
        long batch = x.shape[0];
        Tensor r = rand([batch, 5], device: x.device, generator: random).Times(2).Minus(1);
        Tensor turn = r.select(1, 0).Times(0.04);
        Tensor scale = r.select(1, 1).Times(0.1).Plus(1);
        Tensor theta = stack(
            [
                stack([scale * turn.cos(), -scale * turn.sin(), r.select(1, 2).Times(0.12)], 1),
                stack([scale * turn.sin(), scale * turn.cos(), r.select(1, 3).Times(0.12)], 1),
            ], 1); // [batch, 2, 3]
        Tensor grid = functional.affine_grid(theta, x.shape, align_corners: false);
        return functional.grid_sample(x, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false);
    }

    private static Tensor Recolour(Tensor x, Generator? random)
    {
        long batch = x.shape[0];
        Tensor gain = rand([batch, 3, 1, 1], device: x.device, generator: random).Times(2).Minus(1).Times(0.12).Plus(1);
        Tensor bias = rand([batch, 3, 1, 1], device: x.device, generator: random).Times(2).Minus(1).Times(0.08);
        return (x * gain).Plus(bias);
    }

    // Between the picture and its mean over 5 × 5 pixels, weighted towards the middle.
    private static Tensor Blur(Tensor x, Generator? random)
    {
        Tensor line = tensor(new float[] { 1, 4, 6, 4, 1 }, device: x.device).Over(16);
        Tensor kernel = (line.unsqueeze(1) * line.unsqueeze(0)).expand(3, 1, 5, 5).contiguous();
        Tensor padded = functional.pad(x, [2, 2, 2, 2], PaddingModes.Replicate);
        Tensor blurred = functional.conv2d(padded, kernel, groups: 3);
        return lerp(x, blurred, PerImage(x, random));
    }

    // As JPEG does it: cosine transform of 8 × 8 blocks, coarser steps for finer detail.
    private static Tensor Compress(Tensor x, Generator? random)
    {
        (long batch, long size) = (x.shape[0], x.shape[2]);
        float[,] basis = new float[8, 8];
        float[,] steps = new float[8, 8];
        for (int k = 0; k < 8; k++)
        {
            for (int n = 0; n < 8; n++)
            {
                basis[k, n] = (float)(Math.Sqrt((k == 0 ? 1 : 2) / 8.0) * Math.Cos(Math.PI * (2 * n + 1) * k / 16));
                steps[k, n] = 0.05f * (1 + k + n);
            }
        }
        Tensor dct = tensor(basis, device: x.device);
        Tensor step = tensor(steps, device: x.device) * PerImage(x, random).Plus(0.2).unsqueeze(-1).unsqueeze(-1); // [batch, 1, 1, 1, 8, 8]
        Tensor blocks = x.reshape(batch, 3, size / 8, 8, size / 8, 8).transpose(3, 4); // [batch, 3, rows, columns, 8, 8]
        Tensor frequencies = dct.matmul(blocks).matmul(dct.t());
        Tensor coarse = (frequencies / step).round() * step;
        return dct.t().matmul(coarse).matmul(dct).transpose(3, 4).reshape(x.shape);
    }

    private static Tensor Sometimes(Tensor x, Tensor changed, double probability, Generator? random) =>
        where(PerImage(x, random).lt(tensor(probability)), changed, x);

    private static Tensor PerImage(Tensor x, Generator? random) => rand([x.shape[0], 1, 1, 1], device: x.device, generator: random);
}
