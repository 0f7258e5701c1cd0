using System.Text;
using System.Text.Json;
using Microsoft.ML.Tokenizers;

namespace Dsd.Models.Text;

/// <summary>
/// CLIP's words: English contractions, runs of letters, single digits, and runs of other signs. It goes by whole code points, where a
/// .NET regular expression would take a letter outside the basic plane for two signs.
/// </summary>
/// <param name="knowsMarkers">Whether the markers of begin and end are words also where they are no special tokens, as in all but the older
/// tokenizer.json files.</param>
internal sealed class ClipPreTokenizer(bool knowsMarkers = true) : PreTokenizer
{
    private const string Words = @"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
    private const string MarkersFirst = @"<\|startoftext\|>|<\|endoftext\|>|";

    private static readonly string[] Contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
    private static readonly string[] Markers = ["<|startoftext|>", "<|endoftext|>"];

    private enum Kind
    {
        Space,
        Letter,
        Digit,
        Sign,
    }

    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        for (int start = 0; start < text.Length;)
        {
            // A marker in other letter case is no special token, yet its three parts are words whatever follows.
            if (knowsMarkers && Starting(text, start, Markers) is { } marker)
            {
                yield return (start, 2);
                yield return (start + 2, marker.Length - 4);
                yield return (start + marker.Length - 2, 2);
                start += marker.Length;
                continue;
            }
            int end = start;
            if (Starting(text, start, Contractions) is { } contraction)
            {
                end += contraction.Length;
            }
            else
            {
                Kind kind = At(text, end, out int length);
                end += length;
                while (kind is Kind.Letter or Kind.Sign && end < text.Length && At(text, end, out length) == kind)
                {
                    end += length;
                }
                if (kind == Kind.Space)
                {
                    start = end;
                    continue;
                }
            }
            yield return (start, end - start);
            start = end;
        }
    }

    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());

    /// <summary>Reads the <c>pre_tokenizer</c> of a tokenizer.json, which must be one of the two that CLIP's tokenizers have.</summary>
    public static ClipPreTokenizer Parse(TokenizerJson json)
    {
        string file = json.File;
        if (json.PreTokenizer.ValueKind == JsonValueKind.Object && TokenizerJson.Type(file, "pre_tokenizer", json.PreTokenizer) == "Sequence"
            && TokenizerJson.List(file, "pretokenizers", json.PreTokenizer).ToArray() is [var split, var bytes]
            && TokenizerJson.Type(file, "pre_tokenizer", split) == "Split" && TokenizerJson.Type(file, "pre_tokenizer", bytes) == "ByteLevel"
            && TokenizerJson.Pattern(file, split) is ("Regex", var pattern) && pattern is Words or MarkersFirst + Words
            && TokenizerJson.Text(file, "behavior", split) == "Removed" && TokenizerJson.Flag(file, "invert", split, false)
            && !TokenizerJson.Flag(file, "add_prefix_space", bytes, true) && TokenizerJson.Flag(file, "use_regex", bytes, true))
        {
            return new ClipPreTokenizer(pattern != Words);
        }
        throw TokenizerJson.Unknown(file, "the pre_tokenizer of CLIP, a Split by its regular expression and ByteLevel", json.PreTokenizer);
    }

    private static string? Starting(string text, int start, string[] words) =>
        Array.Find(words, word => string.CompareOrdinal(text, start, word, 0, word.Length) == 0);

    private static Kind At(string text, int index, out int length)
    {
        Rune rune = Rune.GetRuneAt(text, index);
        length = rune.Utf16SequenceLength;
        return Rune.IsWhiteSpace(rune) ? Kind.Space
            : Rune.IsLetter(rune) ? Kind.Letter
            : Rune.IsNumber(rune) ? Kind.Digit
            : Kind.Sign;
    }
}
