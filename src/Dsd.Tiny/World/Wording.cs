namespace Dsd.Tiny.World;

/// <summary>Chooses what one text mentions and puts its phrases together. With one template, everything is mentioned in fixed words and order.</summary>
internal sealed class Wording(ulong seed, PromptStyle style)
{
    // How often a caption states each attribute of Subject.Kinds; the colours of pattern and accessory go with their things.
    private static readonly double[] SubjectShares = [0.7, 0.92, 0.65, 1, 0.4, 0.5, 0.3, 0.75, 1];

    private readonly WorldRandom _random = new(seed);

    private bool Fixed => style == PromptStyle.OneTemplate;

    public T Pick<T>(IReadOnlyList<T> items) => Fixed ? items[0] : _random.Pick(items);

    public string Noun() => Pick(CaptionVocabulary.Nouns);

    /// <summary>Which attributes of the subject are stated; absent things mostly go without saying.</summary>
    public int SubjectMask(Subject subject, double richness)
    {
        int mask = 0;
        for (int i = 0; i < SubjectShares.Length; i++)
        {
            double share = SubjectShares[i] * richness;
            bool absent = (i == 2 && subject.Pattern == Pattern.Plain) || (i == 5 && subject.Ears == Ears.None)
                || (i == 7 && subject.Accessory == Accessory.None);
            bool stated = i switch
            {
                3 => subject.Pattern != Pattern.Plain && (mask >> 2 & 1) == 1 && _random.Chance(subject.Pattern is Pattern.Belly or Pattern.TwoTone ? 1 : 0.9),
                8 => subject.Accessory != Accessory.None && (mask >> 7 & 1) == 1 && _random.Chance(0.9),
                _ => _random.Chance(absent ? 0.2 * share : share),
            };
            mask |= stated ? 1 << i : 0;
        }
        return mask;
    }

    /// <summary>
    /// Which attributes of the context are stated: scene, pose and light with one probability, placement and scale with another. The common ones are
    /// never left out of a fixed template while there is room.
    /// </summary>
    public int ContextMask(double common, double rare)
    {
        int mask = 0;
        foreach ((int attribute, double share) in ((int, double)[])[(0, common), (1, common), (2, rare), (3, rare), (4, common)])
        {
            mask |= (Fixed && share >= 0.9) || _random.Chance(share) ? 1 << attribute : 0;
        }
        return mask;
    }

    /// <summary>The subject as a noun phrase without an article.</summary>
    public string Subject(Subject subject, int mask)
    {
        List<string> adjectives = [];
        if (Has(mask, 0))
        {
            adjectives.Add(Pick(CaptionVocabulary.Shapes[(int)subject.Shape]));
        }
        if (Has(mask, 1))
        {
            adjectives.Insert(!Fixed && _random.Chance(0.3) ? 0 : adjectives.Count, Pick(CaptionVocabulary.Colors[(int)subject.Color]));
        }
        adjectives.Add(Noun());

        List<string> parts = [];
        if (Has(mask, 2))
        {
            string color = Has(mask, 3) && subject.PatternColor != PatternColor.None
                ? Pick(CaptionVocabulary.PatternColors[(int)subject.PatternColor]) + " "
                : "";
            parts.Add(Pick(CaptionVocabulary.Patterns[(int)subject.Pattern]).Replace("{0}", color, StringComparison.Ordinal));
        }
        if (Has(mask, 4))
        {
            parts.Add(Pick(CaptionVocabulary.Eyes[(int)subject.Eyes]));
        }
        if (Has(mask, 5))
        {
            parts.Add(Pick(CaptionVocabulary.Ears[(int)subject.Ears]));
        }
        if (Has(mask, 6))
        {
            parts.Add(Pick(CaptionVocabulary.Mouths[(int)subject.Mouth]));
        }
        string worn = Has(mask, 7) ? Worn(subject, Has(mask, 8)) : "";
        bool wearing = worn.Length > 0 && (Fixed || subject.Accessory == Accessory.None || _random.Chance(0.5));
        if (worn.Length > 0 && !wearing)
        {
            parts.Add(worn);
        }
        Shuffle(parts);
        string phrase = string.Join(' ', adjectives);
        if (parts.Count > 0)
        {
            phrase += " with " + Enumerate(parts);
        }
        return wearing ? phrase + (parts.Count > 0 && !Fixed && _random.Chance(0.5) ? ", wearing " : " wearing ") + worn : phrase;
    }

    /// <summary>The stated part of a context: 'jumping on the beach at night, close up'.</summary>
    public string Context(Context context, int mask)
    {
        List<string> middle = [];
        if (Has(mask, 0))
        {
            middle.Add(Pick(CaptionVocabulary.Scenes[(int)context.Scene]));
        }
        if (Has(mask, 4))
        {
            middle.Add(Pick(CaptionVocabulary.Lights[(int)context.Light]));
        }
        if (!Fixed && _random.Chance(0.2))
        {
            middle.Reverse();
        }
        if (Has(mask, 1))
        {
            middle.Insert(!Fixed && middle.Count > 0 && _random.Chance(0.15) ? 1 : 0, Pick(CaptionVocabulary.Poses[(int)context.Pose]));
        }
        List<string> view = [];
        if (Has(mask, 2))
        {
            view.Add(Pick(CaptionVocabulary.Placements[(int)context.Placement]));
        }
        if (Has(mask, 3))
        {
            view.Add(Pick(CaptionVocabulary.Scales[(int)context.Scale]));
        }
        Shuffle(view);
        if (middle.Count > 0 && view.Count > 0)
        {
            middle[^1] += ",";
        }
        return string.Join(' ', [.. middle, string.Join(" and ", view)]).TrimEnd();
    }

    public static string WithArticle(string phrase) => ("aeiou".Contains(phrase[0], StringComparison.Ordinal) ? "an " : "a ") + phrase;

    private static bool Has(int mask, int attribute) => (mask >> attribute & 1) == 1;

    private string Worn(Subject subject, bool colored)
    {
        string thing = Pick(CaptionVocabulary.Accessories[(int)subject.Accessory]);
        if (subject.Accessory == Accessory.None)
        {
            return thing;
        }
        string phrase = colored ? Pick(CaptionVocabulary.AccessoryColors[(int)subject.AccessoryColor]) + " " + thing : thing;
        return subject.Accessory == Accessory.Glasses ? phrase : WithArticle(phrase);
    }

    private void Shuffle(List<string> items)
    {
        for (int i = items.Count - 1; i > 0 && !Fixed; i--)
        {
            int j = _random.Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    private static string Enumerate(List<string> parts) =>
        parts.Count == 1 ? parts[0] : string.Join(", ", parts.Take(parts.Count - 1)) + " and " + parts[^1];
}
