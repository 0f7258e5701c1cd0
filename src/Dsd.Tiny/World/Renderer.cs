using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Dsd.Imaging;
using SkiaSharp;

namespace Dsd.Tiny.World;

/// <summary>Draws subjects in contexts, and grids of them. The same input always gives the same pixels; safe to call from many threads.</summary>
public static class Renderer
{
    // All painters draw on a square of so many units a side, whatever its size in pixels.
    private const float Units = 96;
    private const float BorderWidth = 2;
    private const int MostKeptSize = 256;

    // Surroundings depend on few values only, so they are painted once: scene × light × variant pictures of the size that is drawn, 64 KiB each for 128 pixels.
    private static volatile Surroundings _surroundings = new(0, []);

    [ThreadStatic]
    private static Easel? _easel;

    /// <summary>Draws a subject in a context.</summary>
    /// <param name="subject">Who is drawn; must be valid.</param>
    /// <param name="context">Where and how.</param>
    /// <param name="size">The picture's side in pixels, 16 … 2048.</param>
    /// <exception cref="ArgumentException">The subject is not valid.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The size is out of range, or the context has a value that does not exist.</exception>
    public static Picture Draw(Subject subject, Context context, int size = TinyModel.PanelSize) => Draw(subject, context, size, bordered: false);

    /// <summary>Draws all panels of a grid side by side.</summary>
    /// <param name="grid">What is drawn.</param>
    /// <param name="panelSize">The side of one panel in pixels, 16 … 2048.</param>
    /// <exception cref="ArgumentException">A subject is not valid.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The size is out of range, or a context has a value that does not exist.</exception>
    public static Picture Draw(WorldGrid grid, int panelSize = TinyModel.PanelSize)
    {
        ArgumentNullException.ThrowIfNull(grid);
        int width = grid.Layout.Columns * panelSize;
        byte[] pixels = new byte[3 * width * grid.Layout.Rows * panelSize];
        for (int i = 0; i < grid.Panels.Count; i++)
        {
            ReadOnlySpan<byte> panel = Draw(grid.Panels[i].Subject, grid.Panels[i].Context, panelSize, grid.Bordered).Pixels;
            (int row, int column) = Math.DivRem(i, grid.Layout.Columns);
            for (int y = 0; y < panelSize; y++)
            {
                int target = 3 * ((row * panelSize + y) * width + column * panelSize);
                panel.Slice(3 * y * panelSize, 3 * panelSize).CopyTo(pixels.AsSpan(target));
            }
        }
        return new Picture(width, grid.Layout.Rows * panelSize, pixels);
    }

    private static Picture Draw(Subject subject, Context context, int size, bool bordered)
    {
        ArgumentNullException.ThrowIfNull(subject);
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 16);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, 2048);
        if (!subject.IsValid)
        {
            throw new ArgumentException(
                $"The subject is not valid (a value that does not exist, or colours that look alike): {subject}", nameof(subject));
        }
        int[] values = context.Values;
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] < 0 || values[i] >= Context.Kinds[i].Count)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(context), values[i], $"A context's {Context.Kinds[i].Name} must lie between 0 and {Context.Kinds[i].Count - 1}.");
            }
        }
        if (_easel?.Size != size)
        {
            _easel?.Dispose();
            _easel = new Easel(size);
        }
        return _easel.Draw(subject, context, bordered);
    }

    private sealed record Surroundings(int Size, ConcurrentDictionary<(Scene, Light, int), byte[]> Painted);

    // The drawing surface and tools of one thread.
    private sealed class Easel : IDisposable
    {
        private readonly SKBitmap _bitmap;
        private readonly SKCanvas _canvas;
        private readonly Brush _brush = new();
        private readonly ScenePainter _scenes;
        private readonly CreaturePainter _creatures;

        public Easel(int size)
        {
            Size = size;
            _bitmap = new SKBitmap(new SKImageInfo(size, size, SKColorType.Rgba8888, SKAlphaType.Opaque));
            _canvas = new SKCanvas(_bitmap);
            _canvas.Scale(size / Units);
            _brush.Canvas = _canvas;
            _scenes = new ScenePainter(_brush);
            _creatures = new CreaturePainter(_brush);
        }

        public int Size { get; }

        public Picture Draw(Subject subject, Context context, bool bordered)
        {
            DrawScene(context);
            _creatures.Draw(subject, context);
            if (bordered)
            {
                // Half of the stroke's width lies outside the picture.
                _brush.Lighting = static (color, _) => color;
                _canvas.DrawRect(0, 0, Units, Units, _brush.Stroke(SKColors.White, 2 * BorderWidth));
            }
            ReadOnlySpan<byte> rgba = _bitmap.GetPixelSpan();
            byte[] rgb = new byte[3 * Size * Size];
            for (int i = 0, j = 0; i < rgb.Length; i += 3, j += 4)
            {
                rgb[i] = rgba[j];
                rgb[i + 1] = rgba[j + 1];
                rgb[i + 2] = rgba[j + 2];
            }
            return new Picture(Size, Size, rgb);
        }

        public void Dispose()
        {
            _creatures.Dispose();
            _brush.Dispose();
            _canvas.Dispose();
            _bitmap.Dispose();
        }

        private void DrawScene(Context context)
        {
            if (Size > MostKeptSize)
            {
                _scenes.Draw(context);
                return;
            }
            Surroundings surroundings = _surroundings;
            if (surroundings.Size != Size)
            {
                // Those of one size are kept, so that drawing in many sizes does not fill the memory.
                _surroundings = surroundings = new Surroundings(Size, []);
            }
            (Scene, Light, int) key = (context.Scene, context.Light, context.Variant);
            if (surroundings.Painted.TryGetValue(key, out byte[]? painted))
            {
                Marshal.Copy(painted, 0, _bitmap.GetPixels(), painted.Length);
                return;
            }
            _scenes.Draw(context);
            surroundings.Painted[key] = _bitmap.Bytes;
        }
    }
}
