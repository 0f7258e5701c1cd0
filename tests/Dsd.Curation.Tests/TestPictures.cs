using Dsd.Imaging;

namespace Dsd.Curation.Tests;

internal static class TestPictures
{
    public static Picture Plain(int width, int height, (byte R, byte G, byte B) colour) => Draw(width, height, (_, _) => colour);

    public static Picture Draw(int width, int height, Func<int, int, (byte R, byte G, byte B)> pixel)
    {
        byte[] pixels = new byte[3 * width * height];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                (pixels[3 * (y * width + x)], pixels[3 * (y * width + x) + 1], pixels[3 * (y * width + x) + 2]) = pixel(x, y);
            }
        }
        return new Picture(width, height, pixels);
    }

    /// <summary>Texture that differs from panel to panel and has no uniform line: its red channel names the panel.</summary>
    public static (byte R, byte G, byte B) Texture(int panel, int x, int y) =>
        ((byte)(40 + 20 * panel), (byte)(x * 37 + y * 91 & 0x7F), (byte)(x * 11 + y * 53 & 0x7F));
}
