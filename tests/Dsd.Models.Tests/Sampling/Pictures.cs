using Dsd.Imaging;
using Dsd.Models.Families;

namespace Dsd.Models.Tests.Sampling;

/// <summary>Pictures for tests.</summary>
internal static class Pictures
{
    /// <summary>The least side, in pixels, that both the options and the model allow.</summary>
    public static int Side(DiffusionModel model) => Math.Max(16, 2 * model.Vae.Config.Factor);

    public static Picture Gradient(int width, int height) =>
        new(width, height, [.. Enumerable.Range(0, width * height)
            .SelectMany(i => new[] { (byte)(i % width * 255 / width), (byte)(i / width * 255 / height), (byte)128 })]);

    /// <summary>Equal but for rounding: no channel of a pixel off by more than one.</summary>
    public static void Near(Picture expected, Picture actual)
    {
        Assert.Equal((expected.Width, expected.Height), (actual.Width, actual.Height));
        int worst = 0;
        for (int i = 0; i < expected.Pixels.Length; i++)
        {
            worst = Math.Max(worst, Math.Abs(expected.Pixels[i] - actual.Pixels[i]));
        }
        Assert.True(worst <= 1, $"A channel is off by {worst}.");
    }
}
