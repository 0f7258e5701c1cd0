namespace Dsd.Tiny.World;

/// <summary>What may change from picture to picture of one subject.</summary>
public sealed record Context
{
    /// <summary>The number of variants of a scene.</summary>
    public const int VariantCount = 4;

    private readonly int _variant;

    /// <summary>The attributes of every context, in the order of <see cref="Attributes"/> and <see cref="Values"/>.</summary>
    public static IReadOnlyList<AttributeKind> Kinds { get; } =
    [
        AttributeKind.Of<Scene>("scene"),
        AttributeKind.Of<Pose>("pose"),
        AttributeKind.Of<Placement>("placement"),
        AttributeKind.Of<SubjectScale>("scale"),
        AttributeKind.Of<Light>("light"),
    ];

    /// <summary>Where the picture takes place.</summary>
    public Scene Scene { get; init; }

    /// <summary>What the creature does.</summary>
    public Pose Pose { get; init; }

    /// <summary>Where in the picture it is.</summary>
    public Placement Placement { get; init; } = Placement.Center;

    /// <summary>How large it is.</summary>
    public SubjectScale Scale { get; init; } = SubjectScale.Medium;

    /// <summary>The time of day.</summary>
    public Light Light { get; init; }

    /// <summary>
    /// Which of the scene's arrangements is drawn, 0 … 3: mirrored in odd ones, with other details from 2 on.
    /// Never stated by captions and no attribute: it only makes pictures less uniform.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is outside 0 … 3.</exception>
    public int Variant
    {
        get => _variant;
        init => _variant = value is >= 0 and < VariantCount
            ? value
            : throw new ArgumentOutOfRangeException(nameof(Variant), value, $"Option Variant must lie between 0 and {VariantCount - 1}, but is {value}.");
    }

    /// <summary>The value indices in the order of <see cref="Kinds"/>; a new array at each call.</summary>
    public int[] Values => [(int)Scene, (int)Pose, (int)Placement, (int)Scale, (int)Light];

    /// <summary>The attributes with their names, in the order of <see cref="Kinds"/>.</summary>
    internal IReadOnlyList<AttributeValue> Attributes
    {
        get
        {
            int[] values = Values;
            return [.. Kinds.Select((kind, i) => kind.Value(values[i]))];
        }
    }

    /// <summary>The values' names, for messages and reports.</summary>
    public override string ToString() => string.Join(' ', Attributes.Select(attribute => $"{attribute.Name}={attribute.ValueName}"));

    /// <summary>The context with the given value indices.</summary>
    /// <param name="values">One index per attribute in the order of <see cref="Kinds"/>.</param>
    /// <param name="variant">The scene's arrangement, 0 … 3.</param>
    /// <exception cref="ArgumentException">There are too few or too many values.</exception>
    public static Context FromValues(ReadOnlySpan<int> values, int variant = 0)
    {
        if (values.Length != Kinds.Count)
        {
            throw new ArgumentException($"A context has {Kinds.Count} attributes, but {values.Length} values were given.", nameof(values));
        }
        return new Context
        {
            Scene = (Scene)values[0],
            Pose = (Pose)values[1],
            Placement = (Placement)values[2],
            Scale = (SubjectScale)values[3],
            Light = (Light)values[4],
            Variant = variant,
        };
    }
}
