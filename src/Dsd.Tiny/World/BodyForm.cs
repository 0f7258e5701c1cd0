using SkiaSharp;

namespace Dsd.Tiny.World;

/// <summary>
/// The outline of a body and where things are on it, in pixels of a large creature: x to the right of the middle, y downwards from the ground under the body.
/// </summary>
internal sealed record BodyForm(SKPath Outline, float Height, float EyeY, float MouthY, float NeckY, SKPoint Shoulder, SKPoint Ear, float HatY, SKPoint Hip)
{
    /// <summary>What lies in shade when clipped to the outline: all but an oval around the upper left.</summary>
    public SKPath Shade { get; } = ShadeOf(Height, Shoulder.X);

    public static BodyForm Create(BodyShape shape) => shape switch
    {
        BodyShape.Round => new(Svg("M 0,-47 C 14,-47 26,-37 26,-23.5 C 26,-9 14,0 0,0 C -14,0 -26,-9 -26,-23.5 C -26,-37 -14,-47 0,-47 Z"), 47, -31, -18,
            -8, new(23, -20), new(14, -41), -45, new(10, -2)),
        BodyShape.Tall => new(Svg("M -18,-36 C -18,-58 18,-58 18,-36 L 18,-8 Q 18,0 10,0 L -10,0 Q -18,0 -18,-8 Z"), 52, -37, -24, -12, new(17, -20),
            new(10, -49), -50, new(9, -2)),
        BodyShape.Square => new(Svg("M -20,-45 L 20,-45 Q 25,-45 25,-40 L 25,-5 Q 25,0 20,0 L -20,0 Q -25,0 -25,-5 L -25,-40 Q -25,-45 -20,-45 Z"), 45,
            -31, -18, -8, new(24, -20), new(16, -44), -44, new(13, -2)),
        BodyShape.Pear => new(Svg("M -15,-37 C -16,-59 16,-59 15,-37 C 15,-28 29,-28 29,-13 C 29,3 -29,3 -29,-13 C -29,-28 -15,-28 -15,-37 Z"), 53, -37,
            -24, -14, new(22, -21), new(10, -49), -51, new(13, -2)),
        BodyShape.Star => new(Star(), 56, -31, -18, -9, new(24, -31), new(17, -39), -50, new(15, -3)),
        BodyShape.Triangle => new(Polygon([new(0, -66), new(34, 2), new(-34, 2)], 0.2f), 55, -28, -15, -6.5f, new(19, -20), new(11, -38), -51, new(14, -2)),
        BodyShape.Cloud => new(Cloud(), 50, -31, -18, -8, new(28, -19), new(15, -43), -47, new(12, -2)),
        BodyShape.Heart => new(Svg("M 0,3 C -42,-22 -34,-53 -14,-52 C -5,-51 0,-46 0,-43 C 0,-46 5,-51 14,-52 C 34,-53 42,-22 0,3 Z"), 52, -33, -20, -10,
            new(23, -24), new(16, -49), -45, new(8, -6)),
        _ => throw new ArgumentOutOfRangeException(nameof(shape), shape, "This body shape does not exist."),
    };

    private static SKPath ShadeOf(float height, float shoulder)
    {
        SKPath path = new() { FillType = SKPathFillType.EvenOdd };
        path.AddRect(new SKRect(-50, -80, 50, 20));
        path.AddOval(new SKRect(-48, -height - 14, shoulder + 1, -4.5f));
        return path;
    }

    private static SKPath Svg(string data) => SKPath.ParseSvgPathData(data);

    private static SKPath Star()
    {
        SKPoint[] points = new SKPoint[10];
        for (int i = 0; i < 10; i++)
        {
            float radius = i % 2 == 0 ? 34 : 20;
            (double sin, double cos) = Math.SinCos(i * Math.PI / 5);
            points[i] = new SKPoint((float)(radius * sin), (float)(-25 - radius * cos));
        }
        return Polygon(points, 0.3f);
    }

    private static SKPath Cloud()
    {
        SKPath path = new();
        foreach ((float x, float y, float radius) in ((float, float, float)[])
            [(0, -36, 14), (-16, -33, 12), (16, -33, 12), (-20, -15, 12), (20, -15, 12), (-9, -10, 10), (9, -10, 10), (0, -22, 18)])
        {
            using SKPath circle = new();
            circle.AddCircle(x, y, radius);
            SKPath union = path.Op(circle, SKPathOp.Union);
            path.Dispose();
            path = union;
        }
        return path;
    }

    // A polygon whose corners are rounded off from the given share of the edges on.
    private static SKPath Polygon(SKPoint[] corners, float share)
    {
        SKPath path = new();
        for (int i = 0; i < corners.Length; i++)
        {
            SKPoint corner = corners[i];
            SKPoint start = Towards(corner, corners[(i + corners.Length - 1) % corners.Length], share);
            SKPoint end = Towards(corner, corners[(i + 1) % corners.Length], share);
            if (i == 0)
            {
                path.MoveTo(start);
            }
            else
            {
                path.LineTo(start);
            }
            path.QuadTo(corner, end);
        }
        path.Close();
        return path;
    }

    private static SKPoint Towards(SKPoint from, SKPoint to, float share) => new(from.X + (to.X - from.X) * share, from.Y + (to.Y - from.Y) * share);
}
