using System.Text;
using Microsoft.ML.Tokenizers;

namespace Dsd.Models.Text;

/// <summary>Composes characters (NFC), makes every stretch of white space one space, and lower-cases.</summary>
internal sealed class ClipNormalizer : Normalizer
{
    public override string Normalize(string original)
    {
        StringBuilder text = new(original.Length);
        foreach (Rune rune in CanonicalComposition.Compose(original).EnumerateRunes())
        {
            if (Rune.IsWhiteSpace(rune))
            {
                if (text.Length == 0 || text[^1] != ' ')
                {
                    text.Append(' ');
                }
            }
            else if (rune.Value == 'İ')
            {
                // The one character whose lower case is two, which .NET's simple mapping leaves alone.
                text.Append("i\u0307");
            }
            else
            {
                text.Append(Rune.ToLowerInvariant(rune));
            }
        }
        return text.ToString();
    }

    public override string Normalize(ReadOnlySpan<char> original) => Normalize(original.ToString());
}
