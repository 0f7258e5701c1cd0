namespace Dsd.Tiny.World;

/// <summary>One attribute that all subjects or all contexts have.</summary>
/// <param name="Name">The attribute's name, lower case with underscores.</param>
/// <param name="ValueNames">The names of its values in the order of their indices.</param>
public sealed record AttributeKind(string Name, IReadOnlyList<string> ValueNames)
{
    /// <summary>How many values the attribute has.</summary>
    public int Count => ValueNames.Count;

    // Values outside the enumeration are named by their number, so that messages about them can be made.
    internal AttributeValue Value(int value) =>
        new(Name, value, value >= 0 && value < Count ? ValueNames[value] : value.ToString(System.Globalization.CultureInfo.InvariantCulture), Count);

    internal static AttributeKind Of<T>(string name)
        where T : struct, Enum => new(name, Enum.GetNames<T>());
}
