using System.Globalization;
using System.Text;
using Dsd.Tiny.World;

namespace Dsd.Tiny.Judge;

/// <summary>Describes readings in the text of a verdict.</summary>
/// <param name="kinds">The attributes of the readings. An attribute <c>x_color</c> is the colour of attribute <c>x</c> and is described with it.</param>
public sealed class ReadingText(IReadOnlyList<AttributeKind> kinds)
{
    private const string ColorSuffix = "_color";
    private const string Plain = "plain";
    private const double Unsure = 0.6;

    /// <summary>The attributes of one picture, such as 'shape round, color red, pattern striped in blue, no ears'.</summary>
    public string Describe(SubjectReading reading)
    {
        List<string> parts = [];
        for (int i = 0; i < kinds.Count; i++)
        {
            if (IsColorOfAnother(i))
            {
                continue;
            }
            string value = Value(reading, i);
            string words = IsNone(value) ? $"no {Name(i)}" : $"{Name(i)} {value}{(Color(reading, i) is { } color ? $" in {color}" : "")}";
            parts.Add(reading.Probability(i, reading.Best(i)) < Unsure ? $"{words} (hard to tell)" : words);
        }
        return string.Join(", ", parts);
    }

    /// <summary>One sentence for each attribute in which the two pictures' subjects differ.</summary>
    public IReadOnlyList<string> Differences(SubjectReading a, SubjectReading b) => [.. Parts(a, b).Select(part => part.Difference).OfType<string>()];

    /// <summary>The parts that make up the subject, each with its colour where it has one of its own, and in what the two pictures differ.</summary>
    internal IReadOnlyList<(string Name, string? Difference)> Parts(SubjectReading a, SubjectReading b)
    {
        List<(string, string?)> parts = [];
        for (int i = 0; i < kinds.Count; i++)
        {
            if (!IsColorOfAnother(i))
            {
                string? difference = a.Best(i) != b.Best(i) ? OfValue(a, b, i)
                    : Color(a, i) is { } ca && Color(b, i) is { } cb && ca != cb ? OfColor(a, i, ca, cb)
                    : null;
                parts.Add((Name(i), difference));
            }
        }
        return parts;
    }

    /// <summary>The attribute that is most likely to differ although its best values agree.</summary>
    public string Doubt(SubjectReading a, SubjectReading b)
    {
        int least = Enumerable.Range(0, kinds.Count).MinBy(i => a.Agreement(b, i));
        string agreement = a.Agreement(b, least).ToString("0.00", CultureInfo.InvariantCulture);
        return $"the {Name(least)} may differ: {Value(a, least)} in both is only {agreement} likely";
    }

    private string OfValue(SubjectReading a, SubjectReading b, int i)
    {
        (string va, string vb) = (Value(a, i), Value(b, i));
        (string? ca, string? cb) = (Color(a, i), Color(b, i));
        if (IsNone(vb) && ca is not null)
        {
            return $"the {va} is {ca} in A and missing in B";
        }
        if (IsNone(va) && cb is not null)
        {
            return $"the {vb} is missing in A and {cb} in B";
        }
        return $"the {Name(i)} {Verb(i)} {Whole(va, ca)} in A and {Whole(vb, cb)} in B";
    }

    private string OfColor(SubjectReading a, int owner, string colorA, string colorB)
    {
        // What can be missing is a thing and is called by its own word; a pattern is not.
        string thing = kinds[owner].ValueNames.Any(IsNone) ? Value(a, owner) : Name(owner);
        return $"the {thing} is {colorA} in A and {colorB} in B";
    }

    // The colour of what is there: the likeliest that is one, whatever the network thinks of none; what is not there has no colour.
    private string? Color(SubjectReading reading, int i)
    {
        int color = Enumerable.Range(0, kinds.Count).FirstOrDefault(j => kinds[j].Name == kinds[i].Name + ColorSuffix, -1);
        return color < 0 || IsNone(Value(reading, i)) || Value(reading, i) == Plain
            ? null
            : Words(kinds[color].ValueNames[Enumerable.Range(0, kinds[color].Count).Where(v => !IsNone(kinds[color].ValueNames[v]))
                .MaxBy(v => reading.Probability(color, v))]);
    }

    private static string Whole(string value, string? color) => IsNone(value) ? "missing" : color is null ? value : $"{value} in {color}";

    private string Value(SubjectReading reading, int i) => Words(kinds[i].ValueNames[reading.Best(i)]);

    private string Name(int i) => kinds[i].Name.Replace('_', ' ');

    private string Verb(int i) => kinds[i].Name.EndsWith('s') ? "are" : "is";

    private bool IsColorOfAnother(int i) => kinds[i].Name.EndsWith(ColorSuffix, StringComparison.Ordinal) && Base(i) >= 0;

    private int Base(int i) => Enumerable.Range(0, kinds.Count).FirstOrDefault(j => kinds[j].Name + ColorSuffix == kinds[i].Name, -1);

    private static bool IsNone(string value) => value.Equals("none", StringComparison.OrdinalIgnoreCase);

    // 'TwoTone' becomes 'two tone'.
    private static string Words(string name)
    {
        StringBuilder words = new();
        foreach (char c in name)
        {
            if (char.IsUpper(c) && words.Length > 0)
            {
                words.Append(' ');
            }
            words.Append(char.ToLowerInvariant(c));
        }
        return words.ToString();
    }
}
