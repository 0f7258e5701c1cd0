using SkiaSharp;

namespace Dsd.Tiny.World;

/// <summary>Draws the surroundings onto a canvas of 96 × 96 units; the ground begins at about y = 62. Belongs to one thread.</summary>
internal sealed class ScenePainter(Brush brush)
{
    private const float Horizon = 62;

    private Light _light;
    private bool _second;

    public void Draw(Context context)
    {
        _light = context.Light;
        _second = context.Variant >= 2;
        brush.Light = _light;
        brush.Lighting = Palette.Surroundings;
        SKCanvas canvas = brush.Canvas;
        canvas.Save();
        if (context.Variant % 2 == 1)
        {
            canvas.Scale(-1, 1, 48, 0);
        }
        switch (context.Scene)
        {
            case Scene.Beach: Beach(); break;
            case Scene.Forest: Forest(); break;
            case Scene.City: City(); break;
            case Scene.Snow: Snow(); break;
            case Scene.Desert: Desert(); break;
            case Scene.Meadow: Meadow(); break;
            case Scene.Room: Room(); break;
            case Scene.Underwater: Underwater(); break;
            case Scene.Space: Space(); break;
            case Scene.Stage: Stage(); break;
        }
        canvas.Restore();
    }

    private static SKColor Rgb(uint rgb) => new((byte)(rgb >> 16), (byte)(rgb >> 8), (byte)rgb);

    // Things that shine by themselves keep their colour in every light.
    private void Shining(Action draw)
    {
        brush.Lighting = static (color, _) => color;
        draw();
        brush.Lighting = Palette.Surroundings;
    }

    private void Sky(uint above, uint below, float bottom = Horizon) => Shining(() =>
    {
        switch (_light)
        {
            case Light.Sunset:
                brush.Gradient(0, bottom, Rgb(0x7A4A9C), Rgb(0xFFA255));
                brush.Circle(24, bottom - 10, 13, new SKColor(255, 220, 120, 90));
                brush.Circle(24, bottom - 10, 9, Rgb(0xFFE08A));
                break;
            case Light.Night:
                brush.Gradient(0, bottom, Rgb(0x0E1440), Rgb(0x2E3C84));
                Stars(Rgb(0xFFF6D0));
                brush.Circle(76, 14, 8.5f, Rgb(0xFFF3C4));
                brush.Circle(72, 12, 7.5f, Rgb(0x151C4C));
                break;
            default:
                brush.Gradient(0, bottom, Rgb(above), Rgb(below));
                brush.Circle(78, 14, 12, new SKColor(255, 240, 170, 110));
                brush.Circle(78, 14, 8, Rgb(0xFFE45C));
                break;
        }
    });

    private void Stars(SKColor color)
    {
        foreach ((float x, float y) in ((float, float)[])[(8, 8), (22, 16), (36, 6), (50, 13), (62, 24), (14, 30), (90, 32), (44, 28), (30, 38), (58, 4)])
        {
            brush.Circle(_second ? 96 - x : x, y, 1.2f, color);
        }
    }

    private void CloudAt(float x, float y)
    {
        SKColor white = new(255, 255, 255, 215);
        brush.Circle(x - 7, y, 4.5f, white);
        brush.Circle(x, y - 2, 6, white);
        brush.Circle(x + 7, y, 4.5f, white);
        brush.Rect(x - 8, y, 16, 4.5f, white);
    }

    private void Beach()
    {
        Sky(0x6CC7F5, 0xD6F1FB, 46);
        if (_light == Light.Day)
        {
            CloudAt(_second ? 50 : 30, 14);
        }
        brush.Gradient(44, 66, Rgb(0x2C9BD6), Rgb(0x58CFE0));
        brush.Line(8, 51, 22, 51, new SKColor(255, 255, 255, 120), 1.4f);
        brush.Line(52, 55, 74, 55, new SKColor(255, 255, 255, 120), 1.4f);
        brush.Svg("M 0,64 Q 20,58 44,63 T 96,62 L 96,96 L 0,96 Z", Rgb(0xFFFFFF));
        brush.Svg("M 0,67 Q 20,61 44,66 T 96,65 L 96,96 L 0,96 Z", Rgb(0xF4D996));
        brush.Svg("M 0,84 Q 40,78 96,86 L 96,96 L 0,96 Z", Rgb(0xE9C77C));
        if (_second)
        {
            brush.Svg("M 60,46 L 60,24 L 76,44 L 60,44 Z", Rgb(0xFFFFFF));
            brush.Svg("M 54,46 L 78,46 L 73,52 L 58,52 Z", Rgb(0xC04A3A));
        }
        // A palm.
        brush.Canvas.DrawLine(8, 74, 13, 34, brush.Stroke(Rgb(0x8A5A32), 5));
        foreach (string leaf in (string[])["M 13,34 Q 22,22 34,32 Q 24,28 13,36 Z", "M 13,34 Q 20,32 28,46 Q 18,38 12,36 Z",
            "M 13,34 Q 4,20 -8,30 Q 4,28 13,36 Z", "M 13,34 Q 4,34 -2,46 Q 6,36 14,36 Z", "M 13,34 Q 14,20 22,18 Q 18,26 14,35 Z"])
        {
            brush.Svg(leaf, Rgb(0x2F9E4F));
        }
        brush.Circle(84, 90, 3, Rgb(0xF07A5A));
    }

    private void Forest()
    {
        Sky(0x9ADBE8, 0xDDF3D2);
        brush.Svg("M 0,40 Q 16,26 32,38 T 64,36 T 96,38 L 96,66 L 0,66 Z", Rgb(0x6FB37C));
        foreach ((float x, float size) in _second ? ((float, float)[])[(30, 0.8f), (54, 0.75f), (70, 0.85f)] : [(26, 0.85f), (46, 0.7f), (66, 0.85f)])
        {
            Tree(x, 68, size, Rgb(0x3C8C50));
        }
        brush.Rect(0, 64, 96, 32, Rgb(0x4E8F44));
        brush.Svg("M 0,80 Q 48,72 96,82 L 96,96 L 0,96 Z", Rgb(0x437E3C));
        Tree(8, 78, 1.25f, Rgb(0x2C7442));
        Tree(88, 78, 1.25f, Rgb(0x2C7442));
        brush.Rect(19, 86, 3, 5, Rgb(0xF5E8D0));
        brush.Oval(20.5f, 86, 5, 3.2f, Rgb(0xD8423C));
    }

    private void Tree(float x, float ground, float size, SKColor green)
    {
        brush.Rect(x - 3 * size, ground - 16 * size, 6 * size, 18 * size, Rgb(0x6B4528));
        brush.Circle(x, ground - 34 * size, 12 * size, green);
        brush.Circle(x - 8 * size, ground - 24 * size, 10 * size, green);
        brush.Circle(x + 8 * size, ground - 24 * size, 10 * size, green);
        brush.Circle(x - 3 * size, ground - 36 * size, 5 * size, new SKColor(255, 255, 255, 36));
    }

    private void City()
    {
        Sky(0x8FC9F2, 0xE8F1F4);
        foreach ((float x, float top, float width, uint color) in _second
            ? ((float, float, float, uint)[])[(0, 30, 18, 0x8C95AE), (18, 18, 16, 0xB0786A), (34, 38, 20, 0x7A8AA8), (54, 26, 16, 0xC09A78),
                (70, 12, 14, 0x6E7B9C), (84, 34, 12, 0xA47C8C)]
            : [(0, 16, 15, 0xA8746C), (15, 34, 18, 0x7C8CAA), (33, 24, 15, 0xC29C7A), (48, 40, 18, 0x8D96B0), (66, 20, 14, 0x707DA0), (80, 30, 16, 0xB0806E)])
        {
            brush.Rect(x, top, width, 60, Rgb(color));
            Shining(() =>
            {
                SKColor window = _light switch
                {
                    Light.Day => new SKColor(0xE4, 0xF2, 0xFA, 210),
                    Light.Sunset => new SKColor(0xFF, 0xD9, 0x86),
                    _ => new SKColor(0xFF, 0xE0, 0x6E),
                };
                for (float y = top + 4; y < 62; y += 8)
                {
                    for (float column = x + 2.5f; column < x + width - 4; column += 5.5f)
                    {
                        brush.Rect(column, y, 3, 4.2f, window);
                    }
                }
            });
        }
        brush.Rect(0, 66, 96, 6, Rgb(0xC9C6C0));
        brush.Rect(0, 71, 96, 25, Rgb(0x686C78));
        for (float x = 2; x < 96; x += 20)
        {
            brush.Rect(x, 80, 11, 3, Rgb(0xF6F0D8));
        }
    }

    private void Snow()
    {
        Sky(0xA9CBE8, 0xEEF4FA);
        brush.Svg("M -4,64 L 20,26 L 44,64 Z M 36,64 L 68,20 L 100,64 Z", Rgb(0x9FB4CF));
        brush.Svg("M 20,26 L 12.5,38 L 18,36 L 22,40 L 27.5,38 Z M 68,20 L 58,34 L 65,32 L 70,36 L 78,34 Z", Rgb(0xFFFFFF));
        brush.Svg("M 0,64 Q 24,54 52,62 T 96,60 L 96,96 L 0,96 Z", Rgb(0xF4F8FC));
        brush.Svg("M 0,82 Q 40,74 96,84 L 96,96 L 0,96 Z", Rgb(0xDDE8F3));
        foreach ((float x, float y) in _second ? ((float, float)[])[(12, 74), (84, 70)] : [(8, 72), (26, 64), (88, 74)])
        {
            brush.Rect(x - 2, y - 4, 4, 6, Rgb(0x6B4528));
            foreach (float step in (ReadOnlySpan<float>)[0, 9, 18])
            {
                float half = 11 - step * 0.3f;
                brush.Svg(FormattableString.Invariant($"M {x - half},{y - 3 - step} L {x},{y - 17 - step} L {x + half},{y - 3 - step} Z"), Rgb(0x3E7C62));
                brush.Svg(FormattableString.Invariant(
                    $"M {x - half * 0.45f},{y - 11 - step} L {x},{y - 17 - step} L {x + half * 0.45f},{y - 11 - step} Z"), Rgb(0xFFFFFF));
            }
        }
        foreach ((float x, float y) in ((float, float)[])[(6, 12), (18, 34), (30, 8), (42, 22), (54, 40), (60, 10), (74, 36), (90, 24), (84, 48), (34, 48),
            (12, 52), (68, 54)])
        {
            brush.Circle(_second ? 96 - x : x, y, 1.9f, Rgb(0xFFFFFF));
        }
    }

    private void Desert()
    {
        Sky(0x7CC0EA, 0xFCE3B4);
        if (_second)
        {
            brush.Svg("M 44,64 L 70,28 L 96,64 Z", Rgb(0xD9A45C));
            brush.Svg("M 70,28 L 96,64 L 78,64 Z", Rgb(0xB98344));
        }
        else
        {
            brush.Svg("M 4,64 L 8,38 L 30,36 L 36,64 Z M 62,64 L 66,46 L 84,44 L 90,64 Z", Rgb(0xCC7A4C));
        }
        brush.Svg("M 0,62 Q 26,50 54,62 T 96,58 L 96,96 L 0,96 Z", Rgb(0xE9A95A));
        brush.Svg("M 0,74 Q 40,62 96,78 L 96,96 L 0,96 Z", Rgb(0xDB9448));
        Cactus(10, 78, 1.2f);
        Cactus(88, 70, 0.8f);
    }

    private void Cactus(float x, float ground, float size)
    {
        SKColor green = Rgb(0x3B8F57);
        brush.Line(x, ground, x, ground - 26 * size, green, 7 * size);
        brush.Line(x, ground - 10 * size, x + 9 * size, ground - 12 * size, green, 5 * size);
        brush.Line(x + 9 * size, ground - 12 * size, x + 9 * size, ground - 20 * size, green, 5 * size);
        brush.Line(x, ground - 14 * size, x - 8 * size, ground - 16 * size, green, 5 * size);
        brush.Line(x - 8 * size, ground - 16 * size, x - 8 * size, ground - 22 * size, green, 5 * size);
    }

    private void Meadow()
    {
        Sky(0x68BDF3, 0xCDECFB);
        if (_light == Light.Day)
        {
            CloudAt(_second ? 30 : 52, 16);
            CloudAt(12, 30);
        }
        brush.Svg("M 0,54 Q 24,38 50,54 T 96,50 L 96,70 L 0,70 Z", Rgb(0x8CCB5E));
        brush.Svg("M 0,66 Q 30,54 60,64 T 96,62 L 96,96 L 0,96 Z", Rgb(0x9EDB62));
        brush.Svg("M 0,84 Q 40,76 96,86 L 96,96 L 0,96 Z", Rgb(0x84C752));
        foreach ((float x, float y, uint color) in ((float, float, uint)[])
            [(8, 72, 0xFFFFFF), (20, 80, 0xFF6F91), (88, 72, 0xFF6F91), (78, 82, 0xFFFFFF), (6, 90, 0xFFD23F), (92, 92, 0xB77CF0), (34, 68, 0xFFD23F),
                (66, 70, 0xB77CF0)])
        {
            float shifted = _second ? 96 - x : x;
            brush.Circle(shifted, y, 3.2f, Rgb(color));
            brush.Circle(shifted, y, 1.3f, color == 0xFFD23F ? Rgb(0xD9822B) : Rgb(0xFFD23F));
        }
    }

    private void Room()
    {
        brush.Rect(0, 0, 96, 68, _second ? Rgb(0xB9D9CF) : Rgb(0xF2D3B8));
        for (float x = 6; x < 96; x += 12)
        {
            brush.Rect(x, 0, 3, 66, new SKColor(255, 255, 255, 50));
        }
        Shining(() =>
        {
            (uint above, uint below) = _light switch
            {
                Light.Sunset => (0x8A56A0u, 0xFFA860u),
                Light.Night => (0x10164Au, 0x2C3A80u),
                _ => (0x7CCBF7u, 0xD4F0FCu),
            };
            brush.Canvas.Save();
            brush.Canvas.ClipRect(new SKRect(8, 8, 36, 40));
            brush.Gradient(8, 40, Rgb(above), Rgb(below));
            if (_light == Light.Night)
            {
                Stars(Rgb(0xFFF6D0));
            }
            else
            {
                brush.Circle(27, _light == Light.Sunset ? 33 : 17, 5, Rgb(0xFFE680));
            }
            brush.Canvas.Restore();
        });
        brush.Canvas.DrawRect(8, 8, 28, 32, brush.Stroke(Rgb(0xFFFFFF), 3));
        brush.Line(22, 8, 22, 40, Rgb(0xFFFFFF), 2);
        brush.Line(8, 24, 36, 24, Rgb(0xFFFFFF), 2);
        brush.Rect(62, 12, 26, 20, Rgb(0x8A5A3A));
        brush.Rect(65, 15, 20, 14, Rgb(0xFBF2DE));
        brush.Svg("M 66,29 L 73,19 L 78,25 L 81,22 L 85,29 Z", Rgb(0x5E9C8A));
        brush.Rect(0, 64, 96, 4, Rgb(0xFFF7EC));
        brush.Rect(0, 68, 96, 28, Rgb(0xB57F50));
        foreach (float y in (ReadOnlySpan<float>)[75, 82, 89])
        {
            brush.Line(0, y, 96, y, Rgb(0x96653C), 1);
        }
        brush.Oval(48, 87, 40, 8, Rgb(0x5B7FB8));
        brush.Oval(48, 87, 33, 5.8f, Rgb(0x86A8D8));
    }

    private void Underwater()
    {
        brush.Gradient(0, 96, Rgb(0x3CC3E0), Rgb(0x12539C));
        foreach (string ray in (string[])["M 20,0 L 34,0 L 22,70 L 2,70 Z", "M 54,0 L 64,0 L 70,70 L 50,70 Z", "M 80,0 L 88,0 L 100,70 L 88,70 Z"])
        {
            brush.Svg(ray, new SKColor(255, 255, 255, 34));
        }
        brush.Svg("M 0,74 Q 26,66 54,73 T 96,70 L 96,96 L 0,96 Z", Rgb(0xD8C48C));
        brush.Svg("M 0,86 Q 40,80 96,88 L 96,96 L 0,96 Z", Rgb(0xC4AC72));
        foreach (float x in _second ? (ReadOnlySpan<float>)[5, 82, 91] : [5, 14, 90])
        {
            using SKPath weed = SKPath.ParseSvgPathData(FormattableString.Invariant($"M {x},82 Q {x - 7},72 {x},62 T {x},40"));
            brush.Canvas.DrawPath(weed, brush.Stroke(Rgb(0x2E9E5B), 4.5f));
        }
        float coral = _second ? 18 : 80;
        brush.Line(coral, 84, coral, 64, Rgb(0xF0648A), 5);
        brush.Line(coral, 74, coral + 8, 64, Rgb(0xF0648A), 4);
        brush.Line(coral, 76, coral - 7, 67, Rgb(0xF0648A), 4);
        foreach ((float x, float y, float radius) in ((float, float, float)[])[(24, 18, 3.4f), (30, 30, 2.2f), (70, 14, 2.6f), (76, 34, 3.6f),
            (16, 42, 2.4f), (84, 22, 2)])
        {
            brush.Circle(x, y, radius, new SKColor(255, 255, 255, 60));
            brush.Canvas.DrawCircle(x, y, radius, brush.Stroke(new SKColor(255, 255, 255, 190), 1.1f));
        }
        brush.Svg("M 56,26 Q 48,19 40,26 Q 48,33 56,26 L 61,21 L 61,31 Z", Rgb(0xFFB03A));
    }

    private void Space()
    {
        brush.Gradient(0, Horizon + 8, Rgb(0x3A2A86), Rgb(0x6A4CB4));
        Shining(() => Stars(Rgb(0xFFFFFF)));
        (float x, float y) = _second ? (20f, 24f) : (72, 22);
        brush.Circle(x, y, 12, Rgb(0xF2A65A));
        brush.Line(x - 8, y + 4, x + 9, y + 2, Rgb(0xD9853C), 3);
        brush.Line(x - 19, y + 6, x + 19, y - 6, Rgb(0xFFE2A8), 2.6f);
        brush.Circle(_second ? 78 : 22, 36, 6, Rgb(0x5CD0C8));
        brush.Svg("M 0,68 Q 48,56 96,68 L 96,96 L 0,96 Z", Rgb(0xC4C2D2));
        foreach ((float cx, float cy, float rx) in ((float, float, float)[])[(12, 78, 8), (84, 76, 7), (30, 90, 9), (74, 91, 8), (50, 68, 6)])
        {
            brush.Oval(_second ? 96 - cx : cx, cy, rx, rx * 0.4f, Rgb(0x9C9AB2));
        }
    }

    private void Stage()
    {
        brush.Gradient(0, 70, Rgb(0x5C2A4A), Rgb(0x8E4668));
        Shining(() =>
        {
            byte strength = _light == Light.Day ? (byte)80 : (byte)52;
            SKColor beam = _light == Light.Night ? new SKColor(150, 170, 255, strength) : new SKColor(255, 240, 180, strength);
            brush.Svg("M 40,0 L 56,0 L 84,84 L 12,84 Z", beam);
        });
        brush.Rect(0, 68, 96, 28, Rgb(0xB8824E));
        for (float x = 4; x < 96; x += 16)
        {
            brush.Line(x, 69, x + (x - 48) * 0.25f, 96, Rgb(0x946236), 1.2f);
        }
        brush.Oval(48, 86, 38, 8, new SKColor(255, 244, 200, 70));
        foreach (float x in (ReadOnlySpan<float>)[0, 7, 80, 88])
        {
            brush.Rect(x, 0, 8.5f, 76, x is 0 or 88 ? Rgb(0xC22E3E) : Rgb(0xA02032));
        }
        brush.Rect(0, 0, 96, 9, Rgb(0xC22E3E));
        for (float x = 0; x < 96; x += 16)
        {
            brush.Circle(x + 8, 9, 7, Rgb(0xC22E3E));
            brush.Circle(x + 8, 15, 1.6f, Rgb(0xF2C84B));
        }
        if (_second)
        {
            foreach ((float x, float y) in ((float, float)[])[(28, 34), (68, 34), (36, 24), (60, 24)])
            {
                brush.Circle(x, y, 3, Rgb(0xF2C84B));
            }
        }
    }
}
