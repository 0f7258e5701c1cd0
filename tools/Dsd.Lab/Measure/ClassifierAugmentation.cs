using Dsd.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dsd.Lab.Measure;

/// <summary>Mild changes that keep every label: a shift of up to 2 pixels, a breath of blur and noise, a few per cent of brightness and contrast.</summary>
/// <remarks>
/// Placements lie at least 8 pixels apart and sizes a fifth, so a shift harms neither and nothing is scaled; the light tints all channels by
/// a fifth or more, so brightness and contrast change alike in all channels and by little.
/// </remarks>
internal static class ClassifierAugmentation
{
    private const double MostShift = 2;

    /// <param name="images">[batch, 3, size, size] in −1…1.</param>
    /// <param name="roundTrip">Encodes and decodes pictures, [batch, 3, size, size] to the same; applied to a third of the batch. Null for none.</param>
    public static Tensor Apply(Tensor images, Func<Tensor, Tensor>? roundTrip)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        Tensor x = Shift(images);
        if (roundTrip is not null)
        {
            long decoded = Math.Max(1, x.shape[0] / 3);
            x = cat([roundTrip(x.narrow(0, 0, decoded)).Clamped(-1, 1), x.narrow(0, decoded, x.shape[0] - decoded)], 0);
        }
        x = Blur(x);
        x = (x * Signed(x).Times(0.05).Plus(1)).Plus(Signed(x).Times(0.04));
        x = x.Plus(rand(x.shape[0], 1, 1, 1, device: x.device).Times(0.05) * randn_like(x));
        return x.Clamped(-1, 1).MoveToOuterDisposeScope();
    }

    // Every picture by its own part of pixels; what comes in at the edge repeats it.
    private static Tensor Shift(Tensor x)
    {
        (long batch, long size) = (x.shape[0], x.shape[3]);
        Tensor move = rand(batch, 2, 1, device: x.device).Times(2).Minus(1).Times(2 * MostShift / size);
        Tensor theta = cat([eye(2, device: x.device).expand(batch, 2, 2), move], 2); // [batch, 2, 3]
        Tensor positions = functional.affine_grid(theta, x.shape, align_corners: false);
        // A half stays on whole pixels and so as sharp as it was drawn.
        Tensor moved = functional.grid_sample(x, positions, GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false);
        return where(rand(batch, 1, 1, 1, device: x.device).lt(tensor(0.5)), moved, x);
    }

    // Between the picture and its weighted mean over 3 × 3 pixels.
    private static Tensor Blur(Tensor x)
    {
        Tensor line = tensor(new float[] { 1, 2, 1 }, device: x.device).Over(4);
        Tensor kernel = (line.unsqueeze(1) * line.unsqueeze(0)).expand(3, 1, 3, 3).contiguous();
        Tensor blurred = functional.conv2d(functional.pad(x, [1, 1, 1, 1], PaddingModes.Replicate), kernel, groups: 3);
        return lerp(x, blurred, rand(x.shape[0], 1, 1, 1, device: x.device).Times(0.8));
    }

    private static Tensor Signed(Tensor x) => rand(x.shape[0], 1, 1, 1, device: x.device).Times(2).Minus(1);
}
