using System.CommandLine;
using System.Globalization;

namespace Dsd.CommandLine.Options;

/// <summary>A size as <c>WIDTHxHEIGHT</c> in pixels.</summary>
public sealed record PictureSize(int Width, int Height)
{
    /// <summary>The option <c>--size</c>.</summary>
    public static Option<PictureSize?> Option(string description) => new("--size")
    {
        Description = description,
        HelpName = "WxH",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            string[] sides = text.Split('x');
            if (sides is [string w, string h]
                && int.TryParse(w, NumberStyles.None, CultureInfo.InvariantCulture, out int width)
                && int.TryParse(h, NumberStyles.None, CultureInfo.InvariantCulture, out int height))
            {
                return new PictureSize(width, height);
            }
            result.AddError($"Option '--size' must be a width and a height in pixels, such as 512x512, but is '{text}'.");
            return null;
        },
    };
}
