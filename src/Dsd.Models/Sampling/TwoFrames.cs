using Dsd.Imaging;

namespace Dsd.Models.Sampling;

/// <summary>The canvas of Diffusion Self-Distillation (section 3.2): two frames, of which the first holds the reference and the second the result.</summary>
/// <param name="Width">Width of one frame in pixels.</param>
/// <param name="Height">Height of one frame in pixels.</param>
/// <param name="Order">How the frames lie.</param>
public sealed record TwoFrames(int Width, int Height, FrameOrder Order = FrameOrder.Beside)
{
    /// <summary>Width of the canvas in pixels.</summary>
    public int CanvasWidth => Order == FrameOrder.Beside ? 2 * Width : Width;

    /// <summary>Height of the canvas in pixels.</summary>
    public int CanvasHeight => Order == FrameOrder.Beside ? Height : 2 * Height;

    /// <summary>
    /// A canvas with a reference, and beside it a target or black. Both are cut to the frame's aspect ratio around their centre and scaled to it.
    /// </summary>
    public Picture Compose(Picture reference, Picture? target = null)
    {
        byte[] pixels = new byte[3 * CanvasWidth * CanvasHeight];
        Place(reference, pixels, first: true);
        if (target is not null)
        {
            Place(target, pixels, first: false);
        }
        return new Picture(CanvasWidth, CanvasHeight, pixels);
    }

    /// <summary>The second frame of a canvas.</summary>
    public Picture Result(Picture canvas) => Order == FrameOrder.Beside ? canvas.Crop(Width, 0, Width, Height) : canvas.Crop(0, Height, Width, Height);

    private void Place(Picture picture, Span<byte> pixels, bool first)
    {
        ReadOnlySpan<byte> from = picture.CropToFit(Width, Height).Pixels;
        int right = first || Order == FrameOrder.Below ? 0 : Width;
        int down = first || Order == FrameOrder.Beside ? 0 : Height;
        for (int y = 0; y < Height; y++)
        {
            from.Slice(3 * y * Width, 3 * Width).CopyTo(pixels[(3 * ((down + y) * CanvasWidth + right))..]);
        }
    }
}
