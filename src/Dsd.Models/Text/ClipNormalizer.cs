namespace Dsd.Models.Text;

/// <summary>Composes characters (NFC), makes every stretch of white space one space, and lower-cases: what CLIP does to a text first.</summary>
internal static class ClipNormalizer
{
    public static string Normalize(string text) => TextSteps.Lower(TextSteps.Spaces(CanonicalComposition.Compose(text), " "));
}
