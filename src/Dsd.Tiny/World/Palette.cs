using SkiaSharp;

namespace Dsd.Tiny.World;

/// <summary>The world's colours and what the light makes of them.</summary>
internal static class Palette
{
    public static readonly SKColor Outline = new(0x2B, 0x24, 0x40);

    private static readonly SKColor[] Bodies =
    [
        new(0xE4, 0x3F, 0x3A), new(0xF6, 0x8B, 0x1E), new(0xFF, 0xD5, 0x3D), new(0x4C, 0xB8, 0x48),
        new(0x3C, 0x78, 0xEC), new(0x8D, 0x4C, 0xCE), new(0xFF, 0x8D, 0xBE), new(0xF5, 0xF2, 0xEA),
    ];

    private static readonly SKColor[] Patterns = [default, new(0xFB, 0xF9, 0xF2), new(0x38, 0x34, 0x48), new(0xFF, 0xE0, 0x4F), new(0x4A, 0xE0, 0xDA)];

    private static readonly SKColor[] Accessories =
    [
        default, new(0xDB, 0x2B, 0x39), new(0xFF, 0xCB, 0x1F), new(0x2E, 0x9E, 0x4A), new(0x2C, 0x5F, 0xD8), new(0x7B, 0x3F, 0xBF), new(0x33, 0x30, 0x42),
    ];

    public static SKColor Of(BodyColor color) => Bodies[(int)color];

    public static SKColor Of(PatternColor color) => Patterns[(int)color];

    public static SKColor Of(AccessoryColor color) => Accessories[(int)color];

    /// <summary>A colour of the surroundings as it looks in the given light.</summary>
    public static SKColor Surroundings(SKColor color, Light light) => light switch
    {
        Light.Sunset => Multiply(color, 255, 196, 158),
        Light.Night => Multiply(color, 100, 110, 180),
        _ => color,
    };

    /// <summary>A colour of the creature in the given light: changed less than the surroundings, so that it stays nameable.</summary>
    public static SKColor Creature(SKColor color, Light light) => light switch
    {
        Light.Sunset => Multiply(color, 255, 226, 200),
        Light.Night => Multiply(color, 206, 212, 244),
        _ => color,
    };

    public static SKColor Mix(SKColor a, SKColor b, float share) => new(
        (byte)(a.Red + (b.Red - a.Red) * share),
        (byte)(a.Green + (b.Green - a.Green) * share),
        (byte)(a.Blue + (b.Blue - a.Blue) * share),
        a.Alpha);

    private static SKColor Multiply(SKColor color, int red, int green, int blue) =>
        new((byte)(color.Red * red / 255), (byte)(color.Green * green / 255), (byte)(color.Blue * blue / 255), color.Alpha);
}
