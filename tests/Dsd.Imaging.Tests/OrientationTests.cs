using System.IO.Compression;
using System.Text;
using Dsd.Testing;
using SkiaSharp;

namespace Dsd.Imaging.Tests;

/// <summary>
/// What Pillow 12.3 does: <c>ImageOps.exif_transpose</c>, with <c>Image.getexif</c> and <c>TiffImagePlugin.ImageFileDirectory_v2.load</c>
/// for what is read and what is passed over.
/// </summary>
public class OrientationTests
{
    // Three columns, two rows. Read row by row: abc, def.
    private const string Sensor = "abc/def";

    public static TheoryData<int, string> Turned => new()
    {
        { 0, "abc/def" },
        { 1, "abc/def" },
        { 2, "cba/fed" },
        { 3, "fed/cba" },
        { 4, "def/abc" },
        { 5, "ad/be/cf" },
        { 6, "da/eb/fc" },
        { 7, "fc/eb/da" },
        { 8, "cf/be/ad" },
        { 9, "abc/def" },
    };

    [Theory]
    [MemberData(nameof(Turned))]
    public void Decode_TurnsAPng(int orientation, string seen)
    {
        foreach (bool bigEndian in new[] { false, true })
        {
            byte[] exif = Oriented.Exif(orientation, bigEndian);

            Assert.Equal(seen, Letters(Oriented.Png(Png(), exif)));
            Assert.Equal((seen.IndexOf('/'), seen.Count(c => c == '/') + 1), Picture.SizeOf(Oriented.Png(Png(), exif), "a picture"));
            Assert.Equal(seen, Letters(Oriented.Png(Png(), exif, atEnd: true)));
            // Some programs leave the letters before it that JPEG needs.
            Assert.Equal(seen, Letters(Oriented.Png(Png(), [.. "Exif\0\0"u8, .. exif])));
        }
    }

    [Theory]
    [MemberData(nameof(Turned))]
    public void Decode_TurnsAJpeg(int orientation, string seen)
    {
        byte[] jpeg = Squares().EncodeJpeg(100);

        Assert.Equal(seen, LettersOfSquares(Oriented.Jpeg(jpeg, Oriented.Exif(orientation))));
        Assert.Equal(seen, LettersOfSquares(Oriented.Jpeg(jpeg, Oriented.Exif(orientation, bigEndian: true))));
    }

    [Theory]
    [MemberData(nameof(Turned))]
    public void Decode_TurnsAWebP(int orientation, string seen)
    {
        Assert.Equal(seen, LettersOfSquares(Oriented.WebP(WebP(), 48, 32, 8, ("EXIF", Oriented.Exif(orientation)))));
        Assert.Equal(seen, LettersOfSquares(Oriented.WebP(WebP(), 48, 32, 8, ("EXIF", [.. "Exif\0\0"u8, .. Oriented.Exif(orientation, bigEndian: true)]))));
    }

    [Fact]
    public void Load_TurnsAFile()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder.File("phone.png"), Oriented.Png(Png(), Oriented.Exif(6)));

        Picture picture = Picture.Load(folder.File("phone.png"));

        Assert.Equal((2, 3), (picture.Width, picture.Height));
        // What is written again stands as it was seen, and says nothing that would turn it twice.
        Assert.Equal("da/eb/fc", Letters(picture.EncodePng()));
    }

    [Fact]
    public void Decode_OfAWebPWhoseHeaderDoesNotNameTheBlock_DoesNotLookForIt()
    {
        Assert.Equal(Sensor, LettersOfSquares(Oriented.WebP(WebP(), 48, 32, 0, ("EXIF", Oriented.Exif(6)))));
        Assert.Equal(Sensor, LettersOfSquares(WebP()));
    }

    [Theory]
    [InlineData((ushort)4, "da/eb/fc")]
    [InlineData((ushort)9, "da/eb/fc")]
    [InlineData((ushort)1, "abc/def")]
    [InlineData((ushort)7, "abc/def")]
    [InlineData((ushort)99, "abc/def")]
    public void Decode_TakesTheTagWhereItHoldsANumber(ushort type, string seen) =>
        Assert.Equal(seen, Letters(Oriented.Png(Png(), Oriented.Exif(6, type: type))));

    [Fact]
    public void Decode_PassesOverExifThatIsDamaged()
    {
        byte[] whole = Oriented.Exif(6);
        foreach (int length in Enumerable.Range(0, whole.Length))
        {
            // The camera's name stands first, and lies at the end: without it reading stops before the orientation.
            Assert.Equal(Sensor, Letters(Oriented.Png(Png(), whole[..length])));
        }
        (int At, byte Value)[] damages =
            [(0, (byte)'X'), (2, 43), (4, 255), (7, 255), (9, 255), (17, 255), (18, 39), (21, 255)];
        foreach ((int at, byte value) in damages)
        {
            byte[] damaged = [.. whole];
            damaged[at] = value;
            // Only the number of entries may be wrong: those that are there are read.
            Assert.Equal(at == 9 ? "da/eb/fc" : Sensor, Letters(Oriented.Png(Png(), damaged)));
        }
    }

    [Fact]
    public void Decode_OfAnyChangedByte_StillGivesThePicture()
    {
        byte[] jpeg = Oriented.Jpeg(Squares().EncodeJpeg(100), Oriented.Exif(6));
        byte[] png = Oriented.Png(Png(), Oriented.Exif(6), "eXIf");
        foreach (int at in Enumerable.Range(0, 46))
        {
            foreach (byte value in new byte[] { 0, 1, 127, 255 })
            {
                byte[] damaged = [.. jpeg];
                damaged[12 + at] = value;
                Assert.Equal(6, LettersOfSquares(damaged).Replace("/", "", StringComparison.Ordinal).Distinct().Count());
                byte[] exif = Oriented.Exif(6);
                exif[at] = value;
                Assert.Equal(6, Letters(Oriented.Png(Png(), exif)).Replace("/", "", StringComparison.Ordinal).Distinct().Count());
            }
        }
        Assert.Equal("da/eb/fc", Letters(png));
    }

    [Fact]
    public void Decode_PutsTogetherExifOfSeveralSegments()
    {
        byte[] exif = Oriented.Exif(6);

        Assert.Equal("da/eb/fc", LettersOfSquares(Oriented.Jpeg(Squares().EncodeJpeg(100), ("Exif\0\0", exif[..20]), ("Exif\0\0", exif[20..]))));
    }

    [Fact]
    public void Decode_AsksXmpWhereExifSaysNothing()
    {
        byte[] attribute = "<x tiff:Orientation=\"6\"/>"u8.ToArray();
        byte[] element = "<tiff:Orientation>6</tiff:Orientation>"u8.ToArray();
        byte[] other = Oriented.Exif(6);
        other[22]++;

        Assert.Equal("da/eb/fc", LettersOfSquares(Oriented.Jpeg(Squares().EncodeJpeg(100), ("http://ns.adobe.com/xap/1.0/\0", attribute))));
        Assert.Equal("da/eb/fc", LettersOfSquares(Oriented.Jpeg(Squares().EncodeJpeg(100), ("Exif\0\0", other), ("http://ns.adobe.com/xap/1.0/\0", element))));
        Assert.Equal(
            Sensor, LettersOfSquares(Oriented.Jpeg(Squares().EncodeJpeg(100), ("Exif\0\0", Oriented.Exif(1)), ("http://ns.adobe.com/xap/1.0/\0", element))));
        Assert.Equal("da/eb/fc", Letters(Oriented.Png(Png(), [.. "XML:com.adobe.xmp\0\0\0\0\0"u8, .. attribute], "iTXt")));
        Assert.Equal("da/eb/fc", Letters(Oriented.Png(Png(), [.. "XML:com.adobe.xmp\0\u0001\0\0\0"u8, .. Deflated(attribute)], "iTXt")));
        Assert.Equal("da/eb/fc", LettersOfSquares(Oriented.WebP(WebP(), 48, 32, 4, ("XMP ", attribute))));
    }

    [Fact]
    public void Decode_ReadsTheProfileThatImageMagickWrites()
    {
        byte[] text = Encoding.ASCII.GetBytes($"\nexif\n      46\n{Convert.ToHexStringLower(Oriented.Exif(8)).Insert(72, "\n")}\n");

        Assert.Equal("cf/be/ad", Letters(Oriented.Png(Png(), [.. "Raw profile type exif\0\0"u8, .. Deflated(text)], "zTXt")));
        Assert.Equal("cf/be/ad", Letters(Oriented.Png(Png(), [.. "Raw profile type exif\0"u8, .. text], "tEXt")));
        Assert.Equal(Sensor, Letters(Oriented.Png(Png(), [.. "Raw profile type exif\0\0"u8, 1, 2, 3], "zTXt")));
    }

    [Fact]
    public void Decode_OfATextThatGrowsWithoutBound_TakesNoMemoryForIt()
    {
        byte[] file = Oriented.Png(Png(), [.. "XML:com.adobe.xmp\0\u0001\0\0\0"u8, .. Deflated(new byte[64 * 1024 * 1024])], "iTXt");
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Equal(Sensor, Letters(file));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000);
    }

    private static Picture Small() => new(3, 2, [.. "aaabbbcccdddeeefff"u8]);

    private static byte[] Png() => Small().EncodePng();

    private static string Letters(byte[] file)
    {
        Picture picture = Picture.Decode(file, "a");
        return string.Join(
            '/',
            Enumerable.Range(0, picture.Height).Select(
                y => string.Concat(Enumerable.Range(0, picture.Width).Select(x => (char)picture.Crop(x, y, 1, 1).Pixels[0]))));
    }

    // Large enough that a lossy format keeps them apart: six squares of 16 pixels, in greys.
    private static Picture Squares()
    {
        byte[] pixels = new byte[3 * 48 * 32];
        for (int i = 0; i < pixels.Length; i++)
        {
            (int x, int y) = (i / 3 % 48, i / 3 / 48);
            pixels[i] = (byte)(20 + 40 * (x / 16 + 3 * (y / 16)));
        }
        return new Picture(48, 32, pixels);
    }

    private static byte[] WebP()
    {
        using SKBitmap bitmap = Squares().ToBitmap();
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Webp, 90);
        return data.ToArray();
    }

    private static char Letter(Picture picture, int column, int row) =>
        (char)('a' + picture.Crop(16 * column + 8, 16 * row + 8, 1, 1).Pixels[0] / 40);

    private static string LettersOfSquares(byte[] file)
    {
        Picture picture = Picture.Decode(file, "a");
        return string.Join(
            '/',
            Enumerable.Range(0, picture.Height / 16)
                .Select(y => string.Concat(Enumerable.Range(0, picture.Width / 16).Select(x => Letter(picture, x, y)))));
    }

    private static byte[] Deflated(byte[] bytes)
    {
        using MemoryStream stream = new();
        using (ZLibStream zlib = new(stream, CompressionLevel.SmallestSize))
        {
            zlib.Write(bytes);
        }
        return stream.ToArray();
    }
}
