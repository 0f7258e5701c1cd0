using System.Runtime.InteropServices;
using Dsd.Testing;
using SkiaSharp;

namespace Dsd.Imaging.Tests;

public class PictureDecodeTests
{
    [Fact]
    public void Decode_GivesBackThePixelsOfAPng()
    {
        Picture picture = Pngs.Noisy(13, 7);

        Picture decoded = Picture.Decode(picture.EncodePng(), "a.png");

        Assert.Equal((13, 7), (decoded.Width, decoded.Height));
        Assert.Equal(picture.Pixels, decoded.Pixels);
    }

    [Fact]
    public void Decode_TakesASinglePixel() => Assert.Equal([1, 2, 3], Picture.Decode(new Picture(1, 1, [1, 2, 3]).EncodePng(), "a.png").Pixels.ToArray());

    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void Decode_ReadsOtherFormats(SKEncodedImageFormat format)
    {
        using SKBitmap bitmap = Pngs.Noisy(20, 10).ToBitmap();
        using SKData data = bitmap.Encode(format, 90);

        Picture picture = Picture.Decode(data.AsSpan(), "a");

        Assert.Equal((20, 10), (picture.Width, picture.Height));
    }

    [Fact]
    public void Decode_PutsTransparentPicturesOnWhite()
    {
        using SKBitmap bitmap = new(new SKImageInfo(2, 1, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.SetPixel(0, 0, new SKColor(0, 0, 0, 0));
        bitmap.SetPixel(1, 0, new SKColor(255, 0, 0, 255));
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);

        Assert.Equal([255, 255, 255, 255, 0, 0], Picture.Decode(data.AsSpan(), "a.png").Pixels.ToArray());
    }

    [Fact]
    public void Decode_ForgetsTransparency_WhereItIsAskedTo()
    {
        using SKBitmap bitmap = new(new SKImageInfo(3, 1, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        // As bytes, since drawing forgets the colour of what is transparent.
        byte[] rgba = [7, 80, 200, 0, 255, 3, 0, 1, 9, 8, 7, 255];
        Marshal.Copy(rgba, 0, bitmap.GetPixels(), rgba.Length);
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);

        Assert.Equal([7, 80, 200, 255, 3, 0, 9, 8, 7], Picture.Decode(data.AsSpan(), "a.png", Transparency.Dropped).Pixels.ToArray());
    }

    [Theory]
    [InlineData("", "an empty file: fetch or write it again")]
    [InlineData("no picture at all", "plain text: 'no picture at all'")]
    [InlineData("\u0089PNG\r\n\u001a\n", "a PNG picture of 8 bytes that is damaged or cut off")]
    [InlineData("\u0001\u0002\u0003", "3 bytes that none of these decoders recognises")]
    public void Decode_RefusesWhatIsNoPicture(string content, string found)
    {
        PictureException e = Assert.Throws<PictureException>(() => Picture.Decode(System.Text.Encoding.Latin1.GetBytes(content), "row 3 of column Image"));

        Assert.Equal("row 3 of column Image", e.PictureSource);
        Assert.Equal(
            $"Picture 'row 3 of column Image': expected a PNG, JPEG, WebP, BMP or GIF picture, found {found}.",
            e.Message);
    }

    [Fact]
    public void Decode_RefusesEveryTruncationOfAPng()
    {
        byte[] whole = Pngs.Noisy(9, 9).EncodePng();

        // At the end stand two checksums and the end marker, 20 bytes: without them the pixels are all there.
        Assert.All(Enumerable.Range(0, whole.Length - 20), length => Assert.Throws<PictureException>(() => Picture.Decode(whole.AsSpan(0, length), "a.png")));
    }

    [Fact]
    public void Decode_TellsOfDamagedPixels()
    {
        byte[] whole = Pngs.Noisy(64, 64).EncodePng();

        PictureException e = Assert.Throws<PictureException>(() => Picture.Decode(whole.AsSpan(0, whole.Length / 2), "a.png"));

        Assert.Contains("'a.png': expected 64 × 64 whole pixels, found damaged data", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60_000, 60_000)]
    [InlineData(Picture.MaxSide + 1, 1)]
    [InlineData(1, Picture.MaxSide + 1)]
    [InlineData(Picture.MaxSide, Picture.MaxSide)]
    [InlineData(int.MaxValue, 1)]
    public void Decode_RefusesAHeaderThatClaimsAHugePicture(int width, int height) =>
        Assert.Throws<PictureException>(() => Picture.Decode(Pngs.Claiming(width, height), "a.png"));

    [Fact]
    public void Decode_TakesNoMemoryForAHugePicture()
    {
        byte[] png = Pngs.Claiming(60_000, 60_000);
        long before = GC.GetAllocatedBytesForCurrentThread();

        PictureException e = Assert.Throws<PictureException>(() => Picture.Decode(png, "a.png"));

        Assert.Contains(
            "'a.png': expected at most 16384 pixels a side and 67108864 in all, found a header that claims 60000 × 60000", e.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Fact]
    public void Decode_RefusesPixelsThatAHeaderOnlyClaims() =>
        Assert.Throws<PictureException>(() => Picture.Decode(Pngs.Claiming(500, 500), "a.png"));

    [Fact]
    public void Load_NamesAFileThatIsNoPicture()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("a.png"), "no picture");

        PictureException e = Assert.Throws<PictureException>(() => Picture.Load(folder.File("a.png")));

        Assert.Contains(folder.File("a.png"), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NamesAMissingFile()
    {
        using TemporaryFolder folder = new();

        Assert.Contains(folder.File("a.png"), Assert.Throws<FileNotFoundException>(() => Picture.Load(folder.File("a.png"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_RefusesAFolder()
    {
        using TemporaryFolder folder = new();

        Assert.Contains("found a folder", Assert.Throws<IOException>(() => Picture.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_RefusesAHugeFileWithoutReadingIt()
    {
        using TemporaryFolder folder = new();
        using (FileStream hole = File.Create(folder.File("a.png")))
        {
            hole.SetLength(Picture.MaxEncodedBytes + 1L);
        }

        PictureException e = Assert.Throws<PictureException>(() => Picture.Load(folder.File("a.png")));

        Assert.Contains($"expected at most {Picture.MaxEncodedBytes} bytes, found {Picture.MaxEncodedBytes + 1L}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_NamesWhatIsNoPicture()
    {
        PictureException e = Assert.Throws<PictureException>(() => Picture.Decode("version https://git-lfs.github.com/spec/v1\n"u8, "a.png"));

        Assert.Contains("a Git LFS pointer", e.Message, StringComparison.Ordinal);
    }
}
