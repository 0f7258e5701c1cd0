using Dsd.Testing;
using SkiaSharp;

namespace Dsd.Imaging.Tests;

public class PictureTests
{
    [Theory]
    [InlineData(2, 2, 11)]
    [InlineData(0, 2, 0)]
    [InlineData(-1, -1, 3)]
    public void Constructor_RefusesBytesThatDoNotFitTheSize(int width, int height, int bytes) =>
        Assert.Contains(
            $"{width} × {height}", Assert.Throws<ArgumentException>(() => new Picture(width, height, new byte[bytes])).Message, StringComparison.Ordinal);

    [Fact]
    public void FromBitmap_ReversesToBitmap()
    {
        Picture picture = Pngs.Noisy(5, 3);
        using SKBitmap bitmap = picture.ToBitmap();

        Assert.Equal(picture.Pixels, Picture.FromBitmap(bitmap).Pixels);
    }

    [Fact]
    public void FromBitmap_RefusesAnEmptyBitmap()
    {
        using SKBitmap bitmap = new();

        Assert.Throws<ArgumentException>(() => Picture.FromBitmap(bitmap));
    }

    [Fact]
    public void EncodePng_GivesTheSameBytesEachTime() => Assert.Equal(Pngs.Noisy(30, 20).EncodePng(), Pngs.Noisy(30, 20).EncodePng());

    [Fact]
    public void Crop_GivesThePartAtThePlace() =>
        Assert.Equal([5, 5, 5], new Picture(2, 3, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5]).Crop(1, 2, 1, 1).Pixels.ToArray());

    [Theory]
    [InlineData(-1, 0, 1, 1)]
    [InlineData(0, 0, 0, 1)]
    [InlineData(3, 0, 2, 1)]
    [InlineData(0, 3, 1, 2)]
    [InlineData(1, 0, int.MaxValue, 1)]
    public void Crop_RefusesAPartOutsideOfThePicture(int x, int y, int width, int height) =>
        Assert.Contains(
            "picture of 4 × 4", Assert.Throws<ArgumentException>(() => Pngs.Noisy(4, 4).Crop(x, y, width, height)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(8, 8)]
    [InlineData(3, 40)]
    [InlineData(1, 1)]
    public void Resize_GivesTheSizeAskedFor(int width, int height)
    {
        Picture scaled = Pngs.Noisy(16, 12).Resize(width, height);

        Assert.Equal((width, height), (scaled.Width, scaled.Height));
    }

    [Fact]
    public void Resize_KeepsAUniformColor() => Assert.All(Uniform(9, 5).Resize(30, 30).Pixels.ToArray(), value => Assert.Equal(77, value));

    [Theory]
    [InlineData(0, 4)]
    [InlineData(4, -1)]
    [InlineData(Picture.MaxSide + 1, 1)]
    [InlineData(Picture.MaxSide, Picture.MaxSide)]
    public void Resize_RefusesSizesOutOfRange(int width, int height) =>
        Assert.Contains(
            $"{width} × {height}", Assert.Throws<ArgumentOutOfRangeException>(() => Uniform(4, 4).Resize(width, height)).Message, StringComparison.Ordinal);

    [Fact]
    public void CropToFit_CutsTheMiddleOfAWidePicture()
    {
        Picture wide = new(4, 1, [9, 9, 9, 1, 1, 1, 2, 2, 2, 9, 9, 9]);

        Assert.Equal([1, 1, 1, 2, 2, 2], wide.CropToFit(2, 1).Pixels.ToArray());
    }

    [Fact]
    public void Save_WritesWhatLoadReads()
    {
        using TemporaryFolder folder = new();
        Picture picture = Pngs.Noisy(6, 4);

        picture.Save(folder.File("new", "a.png"));

        Assert.Equal(picture.Pixels, Picture.Load(folder.File("new", "a.png")).Pixels);
    }

    private static Picture Uniform(int width, int height) => new(width, height, [.. Enumerable.Repeat((byte)77, 3 * width * height)]);
}
