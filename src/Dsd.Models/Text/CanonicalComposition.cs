using System.Globalization;
using System.Text;

namespace Dsd.Models.Text;

/// <summary>Unicode's normalisation form C, from a table of its own: programs without culture data have none in .NET.</summary>
internal static class CanonicalComposition
{
    // Hangul syllables are composed by arithmetic (Unicode standard, section 3.12).
    private const int SyllableBase = 0xac00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TailBase = 0x11a7;
    private const int Leads = 19;
    private const int Vowels = 21;
    private const int Tails = 28;

    private static readonly Lazy<Tables> Data = new(Read);

    /// <summary>The text with canonically equal characters composed.</summary>
    public static string Compose(string text)
    {
        // Nothing below U+0300 composes or is taken apart.
        if (!text.Any(c => c >= '\u0300'))
        {
            return text;
        }
        List<int> points = [];
        foreach (Rune rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, points);
        }
        Order(points);
        StringBuilder composed = new(text.Length);
        foreach (int point in Join(points))
        {
            composed.Append(new Rune(point));
        }
        return composed.ToString();
    }

    private static void Decompose(int point, List<int> into)
    {
        int syllable = point - SyllableBase;
        if (syllable is >= 0 and < Leads * Vowels * Tails)
        {
            into.Add(LeadBase + syllable / (Vowels * Tails));
            into.Add(VowelBase + syllable / Tails % Vowels);
            if (syllable % Tails != 0)
            {
                into.Add(TailBase + syllable % Tails);
            }
        }
        else if (Data.Value.Parts.TryGetValue(point, out int[]? parts))
        {
            foreach (int part in parts)
            {
                Decompose(part, into);
            }
        }
        else
        {
            into.Add(point);
        }
    }

    /// <summary>Sorts each stretch of combining marks by class, keeping the order within a class.</summary>
    private static void Order(List<int> points)
    {
        for (int start = 0; start < points.Count;)
        {
            int end = start;
            while (end < points.Count && Class(points[end]) != 0)
            {
                end++;
            }
            if (end - start > 1)
            {
                int[] sorted = [.. points[start..end].OrderBy(Class)];
                for (int i = 0; i < sorted.Length; i++)
                {
                    points[start + i] = sorted[i];
                }
            }
            start = Math.Max(end, start + 1);
        }
    }

    private static List<int> Join(List<int> points)
    {
        List<int> joined = [];
        int starter = -1;
        foreach (int point in points)
        {
            int ownClass = Class(point);
            // A mark of the same or a higher class in between blocks the way to the starter.
            bool blocked = starter >= 0 && starter < joined.Count - 1 && (Class(joined[^1]) >= ownClass || ownClass == 0);
            if (starter >= 0 && !blocked && Pair(joined[starter], point) is { } whole)
            {
                joined[starter] = whole;
                continue;
            }
            joined.Add(point);
            if (ownClass == 0)
            {
                starter = joined.Count - 1;
            }
        }
        return joined;
    }

    private static int? Pair(int first, int second)
    {
        if (first - LeadBase is >= 0 and < Leads and var lead && second - VowelBase is >= 0 and < Vowels and var vowel)
        {
            return SyllableBase + (lead * Vowels + vowel) * Tails;
        }
        if (first - SyllableBase is >= 0 and < Leads * Vowels * Tails and var syllable
            && syllable % Tails == 0
            && second - TailBase is > 0 and < Tails and var tail)
        {
            return SyllableBase + syllable + tail;
        }
        return Data.Value.Wholes.TryGetValue((first, second), out int whole) ? whole : null;
    }

    private static int Class(int point) => Data.Value.Classes.GetValueOrDefault(point);

    private static Tables Read()
    {
        Tables tables = new([], [], []);
        using Stream stream = typeof(CanonicalComposition).Assembly.GetManifestResourceStream("Dsd.Models.Text.canonical.txt")!;
        using StreamReader reader = new(stream);
        while (reader.ReadLine() is { } line)
        {
            switch (line[0])
            {
                case '#':
                    break;
                case '@':
                    int[] range = Numbers(line[1..]);
                    for (int point = range[0]; point <= range[1]; point++)
                    {
                        tables.Classes[point] = range[2];
                    }
                    break;
                case '-':
                    int[] excluded = Numbers(line[1..]);
                    tables.Parts[excluded[0]] = excluded[1..];
                    break;
                default:
                    int[] pair = Numbers(line);
                    tables.Parts[pair[0]] = pair[1..];
                    tables.Wholes[(pair[1], pair[2])] = pair[0];
                    break;
            }
        }
        return tables;
    }

    private static int[] Numbers(string line) =>
        [.. line.Split(' ', '-').Select(n => int.Parse(n, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];

    private sealed record Tables(Dictionary<int, int[]> Parts, Dictionary<(int First, int Second), int> Wholes, Dictionary<int, int> Classes);
}
