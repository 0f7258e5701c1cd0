namespace Dsd.Tiny.World;

/// <summary>The identity of a creature: everything that stays the same from picture to picture.</summary>
/// <remarks>
/// Valid are the subjects whose colours differ: see <see cref="IsValid"/>. Equal attributes make equal subjects.
/// </remarks>
public sealed record Subject
{
    /// <summary>The attributes of every subject, in the order of <see cref="Attributes"/> and <see cref="Values"/>.</summary>
    public static IReadOnlyList<AttributeKind> Kinds { get; } =
    [
        AttributeKind.Of<BodyShape>("shape"),
        AttributeKind.Of<BodyColor>("color"),
        AttributeKind.Of<Pattern>("pattern"),
        AttributeKind.Of<PatternColor>("pattern_color"),
        AttributeKind.Of<Eyes>("eyes"),
        AttributeKind.Of<Ears>("ears"),
        AttributeKind.Of<Mouth>("mouth"),
        AttributeKind.Of<Accessory>("accessory"),
        AttributeKind.Of<AccessoryColor>("accessory_color"),
    ];

    /// <summary>How many keys there are, those of invalid subjects included: see <see cref="Key"/>.</summary>
    public static int KeyCount { get; } = Kinds.Aggregate(1, (product, kind) => product * kind.Count);

    /// <summary>The outline of the body.</summary>
    public BodyShape Shape { get; init; }

    /// <summary>The main colour.</summary>
    public BodyColor Color { get; init; }

    /// <summary>What is drawn on the body.</summary>
    public Pattern Pattern { get; init; }

    /// <summary>The colour of the pattern; none exactly where the pattern is plain.</summary>
    public PatternColor PatternColor { get; init; }

    /// <summary>The kind of eyes.</summary>
    public Eyes Eyes { get; init; }

    /// <summary>The kind of ears, horns or antennae.</summary>
    public Ears Ears { get; init; }

    /// <summary>The kind of mouth.</summary>
    public Mouth Mouth { get; init; }

    /// <summary>What the creature wears.</summary>
    public Accessory Accessory { get; init; }

    /// <summary>The colour of what it wears; none exactly where it wears nothing.</summary>
    public AccessoryColor AccessoryColor { get; init; }

    /// <summary>The value indices in the order of <see cref="Kinds"/>; a new array at each call.</summary>
    public int[] Values =>
    [
        (int)Shape, (int)Color, (int)Pattern, (int)PatternColor, (int)Eyes, (int)Ears, (int)Mouth, (int)Accessory, (int)AccessoryColor,
    ];

    /// <summary>The attributes with their names, in the order of <see cref="Kinds"/>.</summary>
    internal IReadOnlyList<AttributeValue> Attributes
    {
        get
        {
            int[] values = Values;
            return [.. Kinds.Select((kind, i) => kind.Value(values[i]))];
        }
    }

    /// <summary>
    /// Whether the values are defined, pattern and accessory have a colour exactly where they exist, and neither colour repeats the body's
    /// nor the accessory's the pattern's; a scarf, which would cover it, never goes with a belly.
    /// </summary>
    public bool IsValid
    {
        get
        {
            int[] values = Values;
            for (int i = 0; i < values.Length; i++)
            {
                if (values[i] < 0 || values[i] >= Kinds[i].Count)
                {
                    return false;
                }
            }
            return (Pattern == Pattern.Plain) == (PatternColor == PatternColor.None)
                && (Accessory == Accessory.None) == (AccessoryColor == AccessoryColor.None)
                && PatternColor.ToString() != Color.ToString()
                && AccessoryColor.ToString() != Color.ToString()
                && (Accessory == Accessory.None || AccessoryColor.ToString() != PatternColor.ToString())
                && !(Pattern == Pattern.Belly && Accessory == Accessory.Scarf);
        }
    }

    /// <summary>A number of at least 0 and below <see cref="KeyCount"/> that names this subject: its values as digits of mixed radix.</summary>
    public int Key
    {
        get
        {
            int[] values = Values;
            int key = 0;
            for (int i = 0; i < values.Length; i++)
            {
                key = key * Kinds[i].Count + values[i];
            }
            return key;
        }
    }

    /// <summary>The values' names, for messages and reports.</summary>
    public override string ToString() => string.Join(' ', Attributes.Select(attribute => $"{attribute.Name}={attribute.ValueName}"));

    /// <summary>The subject of the given key, valid or not.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The key is negative or not below <see cref="KeyCount"/>.</exception>
    public static Subject FromKey(int key)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(key);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(key, KeyCount);
        int[] values = new int[Kinds.Count];
        for (int i = values.Length - 1; i >= 0; i--)
        {
            (key, values[i]) = Math.DivRem(key, Kinds[i].Count);
        }
        return FromValues(values);
    }

    /// <summary>The subject with the given value indices, valid or not.</summary>
    /// <param name="values">One index per attribute in the order of <see cref="Kinds"/>.</param>
    /// <exception cref="ArgumentException">There are too few or too many values.</exception>
    public static Subject FromValues(ReadOnlySpan<int> values)
    {
        if (values.Length != Kinds.Count)
        {
            throw new ArgumentException($"A subject has {Kinds.Count} attributes, but {values.Length} values were given.", nameof(values));
        }
        return new Subject
        {
            Shape = (BodyShape)values[0],
            Color = (BodyColor)values[1],
            Pattern = (Pattern)values[2],
            PatternColor = (PatternColor)values[3],
            Eyes = (Eyes)values[4],
            Ears = (Ears)values[5],
            Mouth = (Mouth)values[6],
            Accessory = (Accessory)values[7],
            AccessoryColor = (AccessoryColor)values[8],
        };
    }
}
