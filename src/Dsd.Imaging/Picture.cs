using Dsd.Common.Files;
using SkiaSharp;

namespace Dsd.Imaging;

/// <summary>An immutable picture: 8-bit RGB, rows from top to bottom, three bytes a pixel, no alpha and no padding.</summary>
/// <remarks>Owns plain managed memory, so there is nothing to dispose. Safe to share between threads.</remarks>
public sealed class Picture
{
    /// <summary>The largest side, in pixels, that <see cref="Load"/> and <see cref="Decode"/> accept.</summary>
    public const int MaxSide = 16_384;

    /// <summary>The largest number of pixels that <see cref="Load"/> and <see cref="Decode"/> accept.</summary>
    public const long MaxPixels = 64L * 1024 * 1024;

    /// <summary>The largest encoded picture, in bytes, that <see cref="Load"/> and <see cref="Decode"/> accept.</summary>
    public const int MaxEncodedBytes = 512 * 1024 * 1024;

    // One filter in place of the best of five for each line, and zlib's least effort.
    private static readonly SKPngEncoderOptions QuickPng = new(SKPngEncoderFilterFlags.Up, 1);

    private readonly byte[] _pixels;

    /// <summary>A picture over the given bytes, which it takes over: do not change them afterwards.</summary>
    /// <param name="width">Width in pixels, at least 1.</param>
    /// <param name="height">Height in pixels, at least 1.</param>
    /// <param name="pixels">RGB bytes, exactly <c>width · height · 3</c>.</param>
    /// <exception cref="ArgumentException">A side is below 1 or the number of bytes does not fit.</exception>
    public Picture(int width, int height, byte[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        if (width < 1 || height < 1 || pixels.LongLength != 3L * width * height)
        {
            throw new ArgumentException(
                $"A picture of {width} × {height} needs {3L * width * height} bytes of RGB, but {pixels.LongLength} were given.", nameof(pixels));
        }
        Width = width;
        Height = height;
        _pixels = pixels;
    }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>The RGB bytes, <c>Width · Height · 3</c> of them.</summary>
    public ReadOnlySpan<byte> Pixels => _pixels;

    /// <summary>Reads a PNG, JPEG, WebP, BMP or GIF (first frame) file, turned as its Exif says.</summary>
    /// <param name="path">The picture's file. Its content decides what it is, not its name.</param>
    /// <param name="transparency">What becomes of transparent pixels.</param>
    /// <exception cref="PictureException">
    /// The file is no picture, is damaged, or is larger than <see cref="MaxSide"/>, <see cref="MaxPixels"/> or
    /// <see cref="MaxEncodedBytes"/>.
    /// </exception>
    /// <exception cref="IOException">The file is missing or cannot be read; the message names it.</exception>
    public static Picture Load(string path, Transparency transparency = Transparency.OverWhite)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
        {
            throw new IOException($"Cannot read '{path}': expected a picture file, found a folder. Name a file in it.");
        }
        FileInfo file = new(path);
        if (file.Exists && file.Length > MaxEncodedBytes)
        {
            throw TooManyBytes(path, file.Length);
        }
        return Decode(File.ReadAllBytes(path), path, transparency);
    }

    /// <summary>
    /// Decodes an encoded picture, turned and mirrored as its Exif says. The size in its header is checked before memory is taken for the
    /// pixels.
    /// </summary>
    /// <remarks>
    /// Cameras write pixels as the sensor lies and note in Exif how to turn them. JPEG, PNG (<c>eXIf</c>) and WebP are read so, by the rule
    /// of Pillow's <c>exif_transpose</c>; Exif that is damaged is passed over, as there.
    /// </remarks>
    /// <param name="encoded">The bytes of a PNG, JPEG, WebP, BMP or GIF file.</param>
    /// <param name="source">A name for error messages: a file, a column and row, a tar entry.</param>
    /// <param name="transparency">What becomes of transparent pixels.</param>
    /// <exception cref="PictureException">The bytes are no picture, are damaged, or claim too large a size.</exception>
    public static Picture Decode(ReadOnlySpan<byte> encoded, string source, Transparency transparency = Transparency.OverWhite)
    {
        using SKCodec codec = Opened(encoded, source);
        (int width, int height) = (codec.Info.Width, codec.Info.Height);
        SKImageInfo info = new(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        byte[] rgba = new byte[info.BytesSize];
        SKCodecResult result;
        unsafe
        {
            fixed (byte* p = rgba)
            {
                result = codec.GetPixels(info, (IntPtr)p);
            }
        }
        if (result != SKCodecResult.Success)
        {
            throw new PictureException(source, $"{width} × {height} whole pixels", $"damaged data ({result})");
        }
        (width, height, byte[] rgb) = Orientation.Applied(Orientation.Of(encoded), width, height, Rgb(width, height, rgba, transparency));
        return new Picture(width, height, rgb);
    }

    /// <summary>The size that <see cref="Decode"/> would give, from the header alone: nothing is decoded.</summary>
    /// <param name="encoded">The bytes of a PNG, JPEG, WebP, BMP or GIF file.</param>
    /// <param name="source">A name for error messages: a file, a column and row, a tar entry.</param>
    /// <exception cref="PictureException">The bytes are no picture, or claim too large a size.</exception>
    public static (int Width, int Height) SizeOf(ReadOnlySpan<byte> encoded, string source)
    {
        using SKCodec codec = Opened(encoded, source);
        (int width, int height) = (codec.Info.Width, codec.Info.Height);
        return Orientation.IsOnItsSide(Orientation.Of(encoded)) ? (height, width) : (width, height);
    }

    /// <summary>A picture from a SkiaSharp bitmap, drawn over white where it is transparent.</summary>
    /// <param name="bitmap">The bitmap, at least 1 × 1; it stays the caller's.</param>
    /// <exception cref="ArgumentException">The bitmap is empty, or of a kind whose pixels cannot be read.</exception>
    public static Picture FromBitmap(SKBitmap bitmap)
    {
        ArgumentNullException.ThrowIfNull(bitmap);
        SKImageInfo info = new(bitmap.Width, bitmap.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        byte[] rgba = new byte[info.BytesSize];
        using SKPixmap? pixels = bitmap.PeekPixels();
        bool read = false;
        unsafe
        {
            fixed (byte* p = rgba)
            {
                read = pixels?.ReadPixels(info, (IntPtr)p, info.RowBytes) ?? false;
            }
        }
        if (!read)
        {
            throw new ArgumentException(
                $"The bitmap of {bitmap.Width} × {bitmap.Height} ({bitmap.ColorType}) has no pixels that can be read as RGB.", nameof(bitmap));
        }
        return new Picture(bitmap.Width, bitmap.Height, Rgb(bitmap.Width, bitmap.Height, rgba, Transparency.OverWhite));
    }

    /// <summary>A copy as a SkiaSharp bitmap, which the caller disposes.</summary>
    public SKBitmap ToBitmap()
    {
        SKBitmap bitmap = new(new SKImageInfo(Width, Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Span<byte> rgba;
        unsafe
        {
            rgba = new Span<byte>((void*)bitmap.GetPixels(), bitmap.ByteCount);
        }
        for (int i = 0, j = 0; i < _pixels.Length; i += 3, j += 4)
        {
            rgba[j] = _pixels[i];
            rgba[j + 1] = _pixels[i + 1];
            rgba[j + 2] = _pixels[i + 2];
            rgba[j + 3] = 255;
        }
        return bitmap;
    }

    /// <summary>The picture as the bytes of a PNG file. The same picture always gives the same bytes.</summary>
    /// <param name="quickly">Whether to take a fraction of the time for a file that is a little larger.</param>
    public byte[] EncodePng(bool quickly = false)
    {
        using SKBitmap bitmap = ToBitmap();
        using SKPixmap pixels = bitmap.PeekPixels();
        using SKData data = pixels.Encode(quickly ? QuickPng : SKPngEncoderOptions.Default);
        return data.ToArray();
    }

    /// <summary>The picture as a JPEG file's bytes: smaller than PNG, with loss.</summary>
    /// <param name="quality">1 to 100.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such quality.</exception>
    public byte[] EncodeJpeg(int quality = 90) => EncodeWithLoss(SKEncodedImageFormat.Jpeg, "JPEG", quality);

    /// <summary>The picture as a WebP file's bytes: smaller than JPEG at the same look, with loss.</summary>
    /// <param name="quality">1 to 100.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such quality.</exception>
    public byte[] EncodeWebp(int quality = 90) => EncodeWithLoss(SKEncodedImageFormat.Webp, "WebP", quality);

    /// <summary>Writes the picture as a PNG file: beside its place first, then renamed, so that no half of it is ever seen.</summary>
    /// <param name="path">Where the file shall stand; one that is there is replaced, and folders are made if need be.</param>
    /// <exception cref="IOException">The folder cannot be made or written.</exception>
    public void Save(string path) => AtomicFile.Write(path, stream => stream.Write(EncodePng()));

    /// <summary>The part of the picture at the given place.</summary>
    /// <param name="x">The first column, from 0.</param>
    /// <param name="y">The first row, from 0.</param>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <exception cref="ArgumentException">The part does not lie within the picture.</exception>
    public Picture Crop(int x, int y, int width, int height)
    {
        if (x < 0 || y < 0 || width < 1 || height < 1 || width > Width - x || height > Height - y)
        {
            throw new ArgumentException($"The part at ({x}, {y}) of {width} × {height} does not lie within the picture of {Width} × {Height}.");
        }
        byte[] part = new byte[3 * width * height];
        for (int row = 0; row < height; row++)
        {
            _pixels.AsSpan(3 * ((y + row) * Width + x), 3 * width).CopyTo(part.AsSpan(3 * row * width));
        }
        return new Picture(width, height, part);
    }

    /// <summary>The picture scaled to the given size with a smooth filter; the aspect ratio may change.</summary>
    /// <param name="width">Width in pixels, 1 to <see cref="MaxSide"/>.</param>
    /// <param name="height">Height in pixels, 1 to <see cref="MaxSide"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A side is out of range, or the size has more than <see cref="MaxPixels"/>.</exception>
    public Picture Resize(int width, int height)
    {
        CheckSize(width, height);
        if (width == Width && height == Height)
        {
            return this;
        }
        using SKBitmap source = ToBitmap();
        using SKBitmap scaled = source.Resize(
            new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque),
            // Medium averages over what vanishes, high draws Mitchell's cubic through what is there.
            width < Width || height < Height ? SKFilterQuality.Medium : SKFilterQuality.High);
        return FromBitmap(scaled);
    }

    /// <summary>Cuts the largest centred part of the given aspect ratio and scales it to the given size: what generation does with a reference.</summary>
    /// <param name="width">Width in pixels, 1 to <see cref="MaxSide"/>.</param>
    /// <param name="height">Height in pixels, 1 to <see cref="MaxSide"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A side is out of range, or the size has more than <see cref="MaxPixels"/>.</exception>
    public Picture CropToFit(int width, int height)
    {
        CheckSize(width, height);
        double scale = Math.Min((double)Width / width, (double)Height / height);
        int w = Math.Clamp((int)Math.Round(width * scale), 1, Width);
        int h = Math.Clamp((int)Math.Round(height * scale), 1, Height);
        return Crop((Width - w) / 2, (Height - h) / 2, w, h).Resize(width, height);
    }

    /// <summary>The picture with left and right exchanged.</summary>
    public Picture Mirror()
    {
        const int Mirrored = 2;
        (int width, int height, byte[] pixels) = Orientation.Applied(Mirrored, Width, Height, _pixels);
        return new Picture(width, height, pixels);
    }

    private byte[] EncodeWithLoss(SKEncodedImageFormat format, string name, int quality)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        using SKBitmap bitmap = ToBitmap();
        using SKData data = bitmap.Encode(format, quality) ?? throw new InvalidOperationException(
            $"A picture of {Width} × {Height} pixels could not be encoded as {name}.");
        return data.ToArray();
    }

    private static void CheckSize(int width, int height)
    {
        if (width is < 1 or > MaxSide || height is < 1 or > MaxSide || (long)width * height > MaxPixels)
        {
            throw new ArgumentOutOfRangeException(
                nameof(width), $"A picture is scaled to 1 to {MaxSide} pixels a side and at most {MaxPixels} in all, not to {width} × {height}.");
        }
    }

    /// <summary>What reads a picture whose header has been checked.</summary>
    private static SKCodec Opened(ReadOnlySpan<byte> encoded, string source)
    {
        if (encoded.Length > MaxEncodedBytes)
        {
            throw TooManyBytes(source, encoded.Length);
        }
        // The codec holds on to the data.
        using SKData data = SKData.CreateCopy(encoded);
        SKCodec codec = SKCodec.Create(data) ?? throw new PictureException(source, "a PNG, JPEG, WebP, BMP or GIF picture", FileKind.OtherThanPicture(encoded));
        (int width, int height) = (codec.Info.Width, codec.Info.Height);
        if (width <= MaxSide && height <= MaxSide && (long)width * height <= MaxPixels)
        {
            return codec;
        }
        codec.Dispose();
        throw new PictureException(source, $"at most {MaxSide} pixels a side and {MaxPixels} in all", $"a header that claims {width} × {height}");
    }

    private static PictureException TooManyBytes(string source, long found) => new(source, $"at most {MaxEncodedBytes} bytes", $"{found}");

    private static byte[] Rgb(int width, int height, ReadOnlySpan<byte> rgba, Transparency transparency)
    {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0, j = 0; i < rgb.Length; i += 3, j += 4)
        {
            int alpha = transparency == Transparency.Dropped ? 255 : rgba[j + 3];
            int white = 255 * (255 - alpha);
            rgb[i] = (byte)((rgba[j] * alpha + white) / 255);
            rgb[i + 1] = (byte)((rgba[j + 1] * alpha + white) / 255);
            rgb[i + 2] = (byte)((rgba[j + 2] * alpha + white) / 255);
        }
        return rgb;
    }
}
