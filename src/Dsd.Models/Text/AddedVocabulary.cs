using System.Globalization;
using System.Text;

namespace Dsd.Models.Text;

/// <summary>
/// Cuts a text at added tokens, as the tokenizers library of Hugging Face does (0.22, <c>AddedVocabulary</c>): first those that are looked for as
/// they are, then, in what is left and normalised, the others; of several at one place the longest.
/// </summary>
internal sealed class AddedVocabulary
{
    private readonly Func<string, string> _normalize;
    private readonly Matches _plain;
    private readonly Matches _normalized;

    public AddedVocabulary(IReadOnlyCollection<AddedToken> tokens, Func<string, string> normalize)
    {
        _normalize = normalize;
        _plain = new Matches(tokens.Where(t => !t.Normalized).Select(t => (t.Content, t)));
        _normalized = new Matches(tokens.Where(t => t.Normalized).Select(t => (normalize(t.Content), t)));
    }

    /// <summary>Stretches of normalised text and ids of tokens, in order.</summary>
    public IEnumerable<(string Text, int? Id)> Split(string text)
    {
        foreach ((string outer, int? special) in _plain.Split(text))
        {
            if (special is not null)
            {
                yield return ("", special);
                continue;
            }
            foreach ((string inner, int? id) in _normalized.Split(_normalize(outer)))
            {
                yield return (inner, id);
            }
        }
    }

    /// <summary>The tokens by the texts that they are found by.</summary>
    private sealed class Matches
    {
        private readonly Dictionary<string, AddedToken> _tokens = [];
        private readonly Dictionary<string, AddedToken>.AlternateLookup<ReadOnlySpan<char>> _lookup;
        private readonly Dictionary<char, int[]> _lengths; // by first character, the longest first

        public Matches(IEnumerable<(string Text, AddedToken Token)> tokens)
        {
            foreach ((string text, AddedToken token) in tokens.Where(t => t.Text.Length > 0))
            {
                _tokens.TryAdd(text, token);
            }
            _lookup = _tokens.GetAlternateLookup<ReadOnlySpan<char>>();
            _lengths = _tokens.Keys.GroupBy(t => t[0]).ToDictionary(g => g.Key, g => g.Select(t => t.Length).Distinct().OrderDescending().ToArray());
        }

        public IEnumerable<(string Text, int? Id)> Split(string text)
        {
            int done = 0;
            for (int at = 0; at < text.Length;)
            {
                if (Longest(text, at, out int length) is not { } token)
                {
                    at++;
                    continue;
                }
                (int start, int end) = (at, at + length);
                at = end;
                if (token.SingleWord && (EndsWithWord(text.AsSpan(0, start)) || StartsWithWord(text.AsSpan(end))))
                {
                    continue;
                }
                while (token.LeftStrip && start > done && char.IsWhiteSpace(text[start - 1]))
                {
                    start--;
                }
                while (token.RightStrip && end < text.Length && char.IsWhiteSpace(text[end]))
                {
                    end++;
                }
                if (start > done)
                {
                    yield return (text[done..start], null);
                }
                yield return ("", token.Id);
                (done, at) = (end, end);
            }
            if (done < text.Length)
            {
                yield return (text[done..], null);
            }
        }

        private AddedToken? Longest(string text, int at, out int length)
        {
            if (_lengths.TryGetValue(text[at], out int[]? lengths))
            {
                foreach (int candidate in lengths)
                {
                    if (candidate <= text.Length - at && _lookup.TryGetValue(text.AsSpan(at, candidate), out AddedToken? token))
                    {
                        length = candidate;
                        return token;
                    }
                }
            }
            length = 0;
            return null;
        }

        private static bool StartsWithWord(ReadOnlySpan<char> text) =>
            Rune.DecodeFromUtf16(text, out Rune rune, out _) == System.Buffers.OperationStatus.Done && IsWord(rune);

        private static bool EndsWithWord(ReadOnlySpan<char> text) =>
            Rune.DecodeLastFromUtf16(text, out Rune rune, out _) == System.Buffers.OperationStatus.Done && IsWord(rune);

        /// <summary>What a regular expression of Unicode (UTS 18) counts as part of a word.</summary>
        private static bool IsWord(Rune rune) => Rune.GetUnicodeCategory(rune) is
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter
            or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation
            || rune.Value is 0x200c or 0x200d or (>= 0x24b6 and <= 0x24e9);
    }
}
