using Microsoft.ML.Data;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace Dsd.Imaging.ImageSharp;

/// <summary>Turns pictures of ImageSharp into what the stages of Dsd.MLNet take, and back.</summary>
/// <remarks>
/// Only pixels cross. Files that are not trusted are better decoded by <see cref="Picture.Load"/>, which stands on a codec that is kept up: the versions of
/// ImageSharp under the Apache licence (2.1) are not.
/// </remarks>
public static class ImageSharpPictures
{
    /// <summary>The picture as Dsd.MLNet has it: the first frame, turned and mirrored as its Exif says, over white where it is transparent.</summary>
    /// <param name="image">A picture of any pixel type, at most <see cref="Picture.MaxSide"/> on a side; it stays the caller's, and as it was.</param>
    /// <exception cref="PictureException">The picture is larger than <see cref="Picture.MaxSide"/> or <see cref="Picture.MaxPixels"/>.</exception>
    public static Picture ToPicture(this Image image)
    {
        using Image<Rgb24> flat = Flat<Rgb24>(image);
        byte[] pixels = new byte[3 * flat.Width * flat.Height];
        flat.CopyPixelDataTo(pixels);
        return new Picture(flat.Width, flat.Height, pixels);
    }

    /// <summary>The picture as ML.NET's image columns hold it, as <see cref="ToPicture"/> makes it.</summary>
    /// <param name="image">A picture of any pixel type; it stays the caller's, and as it was.</param>
    /// <returns>An opaque image of 32 bits a pixel (BGRA), which the caller owns.</returns>
    /// <exception cref="PictureException">The picture is larger than <see cref="Picture.MaxSide"/> or <see cref="Picture.MaxPixels"/>.</exception>
    public static MLImage ToMLImage(this Image image)
    {
        using Image<Bgra32> flat = Flat<Bgra32>(image);
        byte[] pixels = new byte[4 * flat.Width * flat.Height];
        flat.CopyPixelDataTo(pixels);
        return MLImage.CreateFromPixels(flat.Width, flat.Height, MLPixelFormat.Bgra32, pixels);
    }

    /// <summary>A copy for ImageSharp, which the caller disposes.</summary>
    /// <param name="picture">The picture.</param>
    public static Image<Rgb24> ToImageSharp(this Picture picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        return Image.LoadPixelData<Rgb24>(picture.Pixels, picture.Width, picture.Height);
    }

    /// <summary>A copy for ImageSharp, which the caller disposes: over white where the image is transparent.</summary>
    /// <param name="image">An image of a column, such as <c>Generated</c>; it stays the caller's.</param>
    /// <exception cref="ArgumentException">The image has another form than 32 bits a pixel, BGRA or RGBA.</exception>
    public static Image<Rgb24> ToImageSharp(this MLImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        (int red, int blue) = image.PixelFormat switch
        {
            MLPixelFormat.Rgba32 => (0, 2),
            MLPixelFormat.Bgra32 => (2, 0),
            _ => throw new ArgumentException($"Expected 32 bits a pixel, BGRA or RGBA, but the image has pixel format {image.PixelFormat}.", nameof(image)),
        };
        ReadOnlySpan<byte> pixels = image.Pixels;
        Rgb24[] flat = new Rgb24[pixels.Length / 4];
        for (int i = 0; i < flat.Length; i++)
        {
            // Colours in an MLImage are premultiplied, so white shows through by what alpha leaves over.
            ReadOnlySpan<byte> pixel = pixels.Slice(4 * i, 4);
            int white = 255 - pixel[3];
            flat[i] = new Rgb24(Over(pixel[red], white), Over(pixel[1], white), Over(pixel[blue], white));
        }
        // The pixels are the image's own memory, which goes when it is collected.
        GC.KeepAlive(image);
        return Image.LoadPixelData(flat, image.Width, image.Height);
    }

    private static byte Over(byte premultiplied, int white) => (byte)Math.Min(255, premultiplied + white);

    private static Image<TPixel> Flat<TPixel>(Image image)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Width > Picture.MaxSide || image.Height > Picture.MaxSide || (long)image.Width * image.Height > Picture.MaxPixels)
        {
            throw new PictureException(
                "a picture of ImageSharp", $"at most {Picture.MaxSide} pixels on a side and {Picture.MaxPixels} in all", $"{image.Width} × {image.Height}");
        }
        using Image<Rgba32> first = image.Frames.Count == 1 ? image.CloneAs<Rgba32>() : FirstFrame(image);
        first.Mutate(i => i.AutoOrient().BackgroundColor(Color.White));
        return first.CloneAs<TPixel>();
    }

    private static Image<Rgba32> FirstFrame(Image image)
    {
        using Image frame = image.Frames.CloneFrame(0);
        return frame.CloneAs<Rgba32>();
    }
}
