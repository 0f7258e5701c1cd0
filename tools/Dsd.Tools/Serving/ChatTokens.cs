using SkiaSharp;

namespace Dsd.Tools.Serving;

/// <summary>
/// Tokens as a large model would count them, roughly: four characters of text make one, and a picture takes 85 and 170 for each started square of 512
/// pixels.
/// </summary>
internal static class ChatTokens
{
    public static int Of(string text) => (text.Length + 3) / 4;

    public static int Of(ChatQuestion question) =>
        new[] { "system", "user", "assistant" }.SelectMany(question.Texts).Sum(Of) + question.Pictures.Sum(picture => OfPicture(picture.Data.Span));

    // The header is enough.
    private static int OfPicture(ReadOnlySpan<byte> encoded)
    {
        using SKData data = SKData.CreateCopy(encoded);
        using SKCodec? codec = SKCodec.Create(data);
        return codec is null ? 0 : 85 + 170 * ((codec.Info.Width + 511) / 512) * ((codec.Info.Height + 511) / 512);
    }
}
