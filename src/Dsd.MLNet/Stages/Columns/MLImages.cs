using Dsd.Imaging;
using Dsd.MLNet.Stages.Rows;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Dsd.MLNet.Stages.Columns;

/// <summary>Pictures in and out of ML.NET's image columns.</summary>
/// <remarks>
/// Getters here give a new image each time and leave the one before alone, where ML.NET's own dispose it: CreateEnumerable and
/// PredictionEngine reuse one variable for all rows, and would hand out rows whose images are gone. Whoever is done with one may
/// dispose it; otherwise the finaliser does.
/// </remarks>
internal static class MLImages
{
    /// <summary>The picture in an image, drawn over white where it is transparent.</summary>
    /// <exception cref="PictureException">There is no image, or it is too large or in an unknown pixel format.</exception>
    public static Picture ToPicture(MLImage? image, string source)
    {
        if (image is null)
        {
            throw new PictureException(source, "an image", "a row without one");
        }
        (int width, int height) = (image.Width, image.Height);
        if (width > Picture.MaxSide || height > Picture.MaxSide || (long)width * height > Picture.MaxPixels)
        {
            throw new PictureException(source, $"at most {Picture.MaxSide} pixels a side and {Picture.MaxPixels} in all", $"{width} × {height}");
        }
        (int red, int blue) = image.PixelFormat switch
        {
            MLPixelFormat.Rgba32 => (0, 2),
            MLPixelFormat.Bgra32 => (2, 0),
            _ => throw new PictureException(source, "32 bits a pixel, BGRA or RGBA", $"pixel format {image.PixelFormat}"),
        };
        ReadOnlySpan<byte> pixels = image.Pixels;
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0, j = 0; i < rgb.Length; i += 3, j += 4)
        {
            // Colours in an MLImage are premultiplied, so white shows through by what alpha leaves over.
            int white = 255 - pixels[j + 3];
            rgb[i] = (byte)Math.Min(255, pixels[j + red] + white);
            rgb[i + 1] = (byte)Math.Min(255, pixels[j + 1] + white);
            rgb[i + 2] = (byte)Math.Min(255, pixels[j + blue] + white);
        }
        // The pixels are the image's own memory, which goes when it is collected: somebody else may hold it no longer.
        GC.KeepAlive(image);
        return new Picture(width, height, rgb);
    }

    /// <summary>A new image, which the caller owns.</summary>
    public static MLImage FromPicture(Picture picture)
    {
        ReadOnlySpan<byte> rgb = picture.Pixels;
        byte[] bgra = new byte[rgb.Length / 3 * 4];
        for (int i = 0, j = 0; i < rgb.Length; i += 3, j += 4)
        {
            bgra[j] = rgb[i + 2];
            bgra[j + 1] = rgb[i + 1];
            bgra[j + 2] = rgb[i];
            bgra[j + 3] = 255;
        }
        return MLImage.CreateFromPixels(picture.Width, picture.Height, MLPixelFormat.Bgra32, bgra);
    }

    /// <summary>A new image of a row's picture, which the caller owns; null where something is wrong with the row.</summary>
    public static MLImage FromPicture(Outcome<Picture> picture) => picture.Error is null ? FromPicture(picture.Value) : null!;

    /// <summary>A copy, which the caller owns.</summary>
    public static MLImage Copy(MLImage image)
    {
        // By way of an array: the collector sees no image's memory, and would let thousands of them wait for their finalisers.
        MLImage copy = MLImage.CreateFromPixels(image.Width, image.Height, image.PixelFormat, image.Pixels.ToArray());
        copy.Tag = image.Tag;
        return copy;
    }

    /// <summary>The type of an image column. ML.NET fills properties from image columns of types that it has met only, so it meets each here.</summary>
    /// <param name="width">Width of every image in pixels, or 0 where they differ.</param>
    /// <param name="height">Height of every image in pixels, or 0 where they differ.</param>
    public static ImageDataViewType Type(int width, int height)
    {
        if (width == 0 || height == 0)
        {
            ImageDataViewType any = new();
            DataViewTypeManager.Register(any, typeof(MLImage));
            return any;
        }
        ImageDataViewType type = new(height, width);
        DataViewTypeManager.Register(type, typeof(MLImage), new ImageTypeAttribute(height, width));
        return type;
    }
}
