using System.Text.RegularExpressions;

namespace Dsd.Tiny.World;

/// <summary>Finds what a text states of subject and context: the way back from <see cref="Captions"/>.</summary>
public static partial class StatedAttributes
{
    private static readonly Lazy<Phrase[]> Phrases = new(() => [.. All().OrderByDescending(p => p.Words.Length)]);

    /// <summary>The attributes: <see cref="Subject.Kinds"/> followed by <see cref="Context.Kinds"/>.</summary>
    public static IReadOnlyList<AttributeKind> Kinds { get; } = [.. Subject.Kinds, .. Context.Kinds];

    /// <summary>What a text states, in any order and among any other words.</summary>
    /// <param name="text">The text, of which the first 4000 characters are read.</param>
    /// <returns>For each attribute that is stated its index in <see cref="Kinds"/> and the index of its value. The first of two values counts.</returns>
    public static IReadOnlyDictionary<int, int> Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string?[] words = [.. Word().Matches(text[..Math.Min(text.Length, 4000)].ToLowerInvariant()).Select(m => m.Value)];
        Dictionary<int, (int At, int Value)> found = [];
        // The longest first, so that 'long ears' is not read as a long body.
        foreach (Phrase phrase in Phrases.Value)
        {
            for (int at = 0; at + phrase.Words.Length <= words.Length; at++)
            {
                if (!words.AsSpan(at, phrase.Words.Length).SequenceEqual(phrase.Words))
                {
                    continue;
                }
                words.AsSpan(at, phrase.Words.Length).Clear();
                foreach ((int attribute, int value) in phrase.States)
                {
                    if (!found.TryGetValue(attribute, out (int At, int Value) other) || at < other.At)
                    {
                        found[attribute] = (at, value);
                    }
                }
            }
        }
        return found.OrderBy(f => f.Key).ToDictionary(f => f.Key, f => f.Value.Value);
    }

    private static IEnumerable<Phrase> All()
    {
        int context = Subject.Kinds.Count;
        return
        [
            .. Plain(0, CaptionVocabulary.Shapes), .. Plain(1, CaptionVocabulary.Colors),
            .. Coloured(2, CaptionVocabulary.Patterns, CaptionVocabulary.PatternColors),
            .. Plain(4, CaptionVocabulary.Eyes), .. Plain(5, CaptionVocabulary.Ears), .. Plain(6, CaptionVocabulary.Mouths),
            .. Coloured(
                7,
                [.. CaptionVocabulary.Accessories.Select((words, i) => i == 0 ? words : [.. words.Select(w => "{0}" + w)])],
                CaptionVocabulary.AccessoryColors),
            .. Plain(context, CaptionVocabulary.Scenes), .. Plain(context + 1, CaptionVocabulary.Poses), .. Plain(context + 2, CaptionVocabulary.Placements),
            .. Plain(context + 3, CaptionVocabulary.Scales), .. Plain(context + 4, CaptionVocabulary.Lights),
        ];
    }

    private static IEnumerable<Phrase> Plain(int attribute, string[][] values) =>
        values.SelectMany((phrases, value) => phrases.Select(phrase => new Phrase(Words(phrase), [(attribute, value)])));

    // A thing whose colour is the next attribute: each phrase without a colour, and in each.
    private static IEnumerable<Phrase> Coloured(int attribute, string[][] values, string[][] colours)
    {
        for (int value = 0; value < values.Length; value++)
        {
            foreach (string phrase in values[value])
            {
                yield return new Phrase(Words(phrase.Replace("{0}", "", StringComparison.Ordinal)), [(attribute, value)]);
                for (int colour = 1; colour < colours.Length && phrase.Contains("{0}", StringComparison.Ordinal); colour++)
                {
                    foreach (string name in colours[colour])
                    {
                        string coloured = phrase.Replace("{0}", name + " ", StringComparison.Ordinal);
                        yield return new Phrase(Words(coloured), [(attribute, value), (attribute + 1, colour)]);
                    }
                }
            }
        }
    }

    private static string[] Words(string phrase) => [.. Word().Matches(phrase).Select(m => m.Value).SkipWhile(w => w is "a" or "an")];

    [GeneratedRegex("[a-z]+")]
    private static partial Regex Word();

    private sealed record Phrase(string[] Words, (int Attribute, int Value)[] States);
}
