using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Dsd.Common.Options;

/// <summary>
/// Which options of a record were given, so that what was left open can come from elsewhere, such as a model's preset. A field of the record: an option's
/// <c>init</c> notes itself, a copy by <c>with</c> keeps the notes, and they count for nothing when two records are compared.
/// </summary>
public struct GivenOptions : IEquatable<GivenOptions>
{
    private ImmutableHashSet<string>? _names;

    /// <summary>Compares as equal, always.</summary>
    public static bool operator ==(GivenOptions left, GivenOptions right) => left.Equals(right);

    /// <summary>Never.</summary>
    public static bool operator !=(GivenOptions left, GivenOptions right) => !left.Equals(right);

    /// <summary>Notes an option as given.</summary>
    /// <param name="value">Its value, checked.</param>
    /// <param name="option">Its name: that of the property whose <c>init</c> calls.</param>
    /// <returns>The value.</returns>
    public T Note<T>(T value, [CallerMemberName] string option = "")
    {
        _names = (_names ?? []).Add(option);
        return value;
    }

    /// <summary>Whether an option was given.</summary>
    public readonly bool Has(string option) => _names?.Contains(option) ?? false;

    /// <summary>Writes the options that were given over those of another record.</summary>
    /// <param name="given">The record that the notes belong to.</param>
    /// <param name="copy">A copy of the other record, which is changed.</param>
    /// <returns>The copy.</returns>
    public readonly T Over<T>(T given, T copy)
        where T : class
    {
        foreach (string name in _names ?? [])
        {
            PropertyInfo property = typeof(T).GetProperty(name) ?? throw new InvalidOperationException($"{typeof(T).Name} has no option {name}.");
            property.SetValue(copy, property.GetValue(given));
        }
        return copy;
    }

    /// <inheritdoc/>
    public readonly bool Equals(GivenOptions other) => true;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is GivenOptions;

    /// <inheritdoc/>
    public override readonly int GetHashCode() => 0;
}
