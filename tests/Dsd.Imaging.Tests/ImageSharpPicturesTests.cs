using Dsd.Imaging.ImageSharp;
using Microsoft.ML.Data;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.PixelFormats;

namespace Dsd.Imaging.Tests;

public sealed class ImageSharpPicturesTests
{
    private static readonly Rgb24[] Colours = [new(255, 0, 0), new(0, 255, 0), new(0, 0, 255), new(10, 20, 30), new(40, 50, 60), new(70, 80, 90)];

    [Fact]
    public void APicture_ThereAndBack_HasTheSamePixels()
    {
        using Image<Rgb24> image = Image.LoadPixelData<Rgb24>(Colours, 3, 2);

        Picture picture = image.ToPicture();
        using Image<Rgb24> back = picture.ToImageSharp();

        Assert.Equal((3, 2), (picture.Width, picture.Height));
        Assert.Equal([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 40, 50, 60, 70, 80, 90], picture.Pixels.ToArray());
        Assert.Equal(Colours, Pixels(back));
    }

    [Fact]
    public void AnMLImage_ThereAndBack_HasTheSamePixels()
    {
        using Image<Rgb24> image = Image.LoadPixelData<Rgb24>(Colours, 3, 2);

        using MLImage column = image.ToMLImage();
        using Image<Rgb24> back = column.ToImageSharp();

        Assert.Equal(MLPixelFormat.Bgra32, column.PixelFormat);
        Assert.Equal([0, 0, 255, 255], column.Pixels[..4].ToArray());
        Assert.Equal(Colours, Pixels(back));
    }

    /// <summary>As <see cref="Picture.Decode"/> has it: https://www.w3.org/TR/PNG/#13Alpha-channel-processing, over white.</summary>
    [Fact]
    public void ATransparentPlace_IsWhite_AndAHalfTransparentOneHalfWhite()
    {
        using Image<Rgba32> image = Image.LoadPixelData(new Rgba32[] { new(255, 0, 0, 0), new(0, 0, 0, 128) }, 2, 1);

        byte[] pixels = image.ToPicture().Pixels.ToArray();

        Assert.Equal([255, 255, 255], pixels[..3]);
        Assert.All(pixels[3..], b => Assert.InRange(b, (byte)126, (byte)128));
        Assert.Equal(new Rgba32(255, 0, 0, 0), image[0, 0]);
    }

    [Fact]
    public void AnMLImageWithAlpha_IsOverWhite()
    {
        // Premultiplied, RGBA: half red, and nothing.
        using MLImage image = MLImage.CreateFromPixels(2, 1, MLPixelFormat.Rgba32, [128, 0, 0, 128, 0, 0, 0, 0]);

        using Image<Rgb24> back = image.ToImageSharp();

        Assert.Equal([new Rgb24(255, 127, 127), new Rgb24(255, 255, 255)], Pixels(back));
    }

    /// <summary>Orientation 6 of Exif: the row on top is the picture's right side, so 3 × 2 pixels are shown as 2 × 3.</summary>
    [Fact]
    public void AnImageWithExif_IsTurned_AndStaysAsItWas()
    {
        using Image<Rgb24> image = Image.LoadPixelData<Rgb24>(Colours, 3, 2);
        image.Metadata.ExifProfile = new ExifProfile();
        image.Metadata.ExifProfile.SetValue(ExifTag.Orientation, (ushort)6);

        Picture picture = image.ToPicture();

        Assert.Equal((2, 3), (picture.Width, picture.Height));
        Assert.Equal([10, 20, 30, 255, 0, 0], picture.Pixels[..6].ToArray());
        Assert.Equal((3, 2), (image.Width, image.Height));
        Assert.Equal((ushort)6, image.Metadata.ExifProfile.GetValue(ExifTag.Orientation).Value);
    }

    [Fact]
    public void AnAnimation_GivesItsFirstFrame()
    {
        using Image<Rgba32> image = new(2, 2, new Rgba32(255, 0, 0));
        using Image<Rgba32> second = new(2, 2, new Rgba32(0, 255, 0));
        image.Frames.AddFrame(second.Frames.RootFrame);

        Assert.Equal([255, 0, 0], image.ToPicture().Pixels[..3].ToArray());
        Assert.Equal(2, image.Frames.Count);
    }

    [Fact]
    public void ATooLargeImage_IsRefused()
    {
        using Image<L8> image = new(Picture.MaxSide + 1, 1);

        PictureException refused = Assert.Throws<PictureException>(() => image.ToPicture());

        Assert.Contains($"{Picture.MaxSide + 1} × 1", refused.Message, StringComparison.Ordinal);
    }

    private static Rgb24[] Pixels(Image<Rgb24> image)
    {
        Rgb24[] pixels = new Rgb24[image.Width * image.Height];
        image.CopyPixelDataTo(pixels);
        return pixels;
    }
}
