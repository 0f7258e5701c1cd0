using SkiaSharp;

namespace Dsd.Tiny.World;

/// <summary>A canvas with one reusable paint: fills, strokes and outlined shapes. Belongs to one thread.</summary>
internal sealed class Brush : IDisposable
{
    private readonly SKPaint _paint = new() { IsAntialias = true, StrokeCap = SKStrokeCap.Round, StrokeJoin = SKStrokeJoin.Round };

    /// <summary>The canvas that is drawn on.</summary>
    public SKCanvas Canvas { get; set; } = null!;

    /// <summary>What the light makes of every colour that is drawn.</summary>
    public Func<SKColor, Light, SKColor> Lighting { get; set; } = (color, _) => color;

    /// <summary>The light.</summary>
    public Light Light { get; set; }

    public SKPaint Fill(SKColor color)
    {
        _paint.Style = SKPaintStyle.Fill;
        _paint.Color = Lighting(color, Light);
        return _paint;
    }

    public SKPaint Stroke(SKColor color, float width)
    {
        _paint.Style = SKPaintStyle.Stroke;
        _paint.StrokeWidth = width;
        _paint.Color = Lighting(color, Light);
        return _paint;
    }

    public void Rect(float x, float y, float width, float height, SKColor color) => Canvas.DrawRect(x, y, width, height, Fill(color));

    public void Circle(float x, float y, float radius, SKColor color) => Canvas.DrawCircle(x, y, radius, Fill(color));

    public void Oval(float x, float y, float rx, float ry, SKColor color) => Canvas.DrawOval(x, y, rx, ry, Fill(color));

    public void Line(float x0, float y0, float x1, float y1, SKColor color, float width) => Canvas.DrawLine(x0, y0, x1, y1, Stroke(color, width));

    /// <summary>A filled path.</summary>
    public void Path(SKPath path, SKColor color) => Canvas.DrawPath(path, Fill(color));

    /// <summary>A filled path with a dark outline around it.</summary>
    public void Outlined(SKPath path, SKColor color, float outline = 2f)
    {
        Canvas.DrawPath(path, Fill(color));
        Canvas.DrawPath(path, Stroke(Palette.Outline, outline));
    }

    public void OutlinedCircle(float x, float y, float radius, SKColor color, float outline = 2f)
    {
        Canvas.DrawCircle(x, y, radius, Fill(color));
        Canvas.DrawCircle(x, y, radius, Stroke(Palette.Outline, outline));
    }

    public void OutlinedOval(float x, float y, float rx, float ry, SKColor color, float outline = 2f)
    {
        Canvas.DrawOval(x, y, rx, ry, Fill(color));
        Canvas.DrawOval(x, y, rx, ry, Stroke(Palette.Outline, outline));
    }

    /// <summary>A path given in SVG's notation, filled.</summary>
    public void Svg(string data, SKColor color)
    {
        using SKPath path = SKPath.ParseSvgPathData(data);
        Path(path, color);
    }

    /// <summary>A gradient from the top to the bottom of a rectangle over the whole width.</summary>
    public void Gradient(float top, float bottom, SKColor above, SKColor below)
    {
        using SKShader shader = SKShader.CreateLinearGradient(
            new SKPoint(0, top), new SKPoint(0, bottom), [Lighting(above, Light), Lighting(below, Light)], null, SKShaderTileMode.Clamp);
        Fill(SKColors.Black).Shader = shader;
        Canvas.DrawRect(0, top, 96, bottom - top, _paint);
        _paint.Shader = null;
    }

    public void Dispose() => _paint.Dispose();
}
