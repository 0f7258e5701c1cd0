using System.Numerics;

namespace Dsd.Common.Options;

/// <summary>Checks of single option values, for an option's <c>init</c>. Each message names the option, what it may be and what was given.</summary>
public static class OptionCheck
{
    /// <summary>A number between two bounds, which belong to the range.</summary>
    /// <param name="value">What was given.</param>
    /// <param name="least">The smallest value that is allowed.</param>
    /// <param name="most">The largest value that is allowed.</param>
    /// <param name="option">The option's name.</param>
    /// <returns>The value.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of range, or not a number.</exception>
    public static T Range<T>(T value, T least, T most, string option)
        where T : INumber<T> =>
        value >= least && value <= most
            ? value
            : throw new ArgumentOutOfRangeException(option, value, $"Option {option} must lie between {least} and {most}, but is {value}.");

    /// <summary>A time between two bounds, which belong to the range.</summary>
    /// <inheritdoc cref="Range{T}(T, T, T, string)"/>
    public static TimeSpan Range(TimeSpan value, TimeSpan least, TimeSpan most, string option) =>
        value >= least && value <= most
            ? value
            : throw new ArgumentOutOfRangeException(option, value, $"Option {option} must lie between {least} and {most}, but is {value}.");

    /// <summary>A number between two bounds, or none.</summary>
    /// <inheritdoc cref="Range{T}(T, T, T, string)"/>
    public static T? RangeOrNull<T>(T? value, T least, T most, string option)
        where T : struct, INumber<T> =>
        value is { } given ? Range(given, least, most, option) : null;

    /// <summary>A side of a picture that is drawn, in pixels: a multiple of 16 between 16 and 8192.</summary>
    /// <param name="value">What was given.</param>
    /// <param name="option">The option's name.</param>
    /// <returns>The value.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The value is no such side.</exception>
    public static int Side(int value, string option) =>
        value is >= 16 and <= 8192 && value % 16 == 0
            ? value
            : throw new ArgumentOutOfRangeException(option, value, $"Option {option} must be a multiple of 16 between 16 and 8192, but is {value}.");

    /// <summary>A value of an enumeration that has a name.</summary>
    /// <param name="value">What was given.</param>
    /// <param name="option">The option's name.</param>
    /// <returns>The value.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The enumeration has no such value.</exception>
    public static T Defined<T>(T value, string option)
        where T : struct, Enum =>
        OneOf(value, option, Enum.GetValues<T>());

    /// <summary>A value of an enumeration that has a name, or none.</summary>
    /// <inheritdoc cref="Defined"/>
    public static T? DefinedOrNull<T>(T? value, string option)
        where T : struct, Enum =>
        value is { } given ? Defined(given, option) : null;

    /// <summary>One of some values of an enumeration.</summary>
    /// <param name="value">What was given.</param>
    /// <param name="option">The option's name.</param>
    /// <param name="allowed">The values that are allowed.</param>
    /// <returns>The value.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The value is not among them.</exception>
    public static T OneOf<T>(T value, string option, params T[] allowed)
        where T : struct, Enum
    {
        ArgumentNullException.ThrowIfNull(allowed);
        return allowed.Contains(value)
            ? value
            : throw new ArgumentOutOfRangeException(option, value, $"Option {option} must be one of {string.Join(", ", allowed)}, but is {value}.");
    }

    /// <summary>A text that is not empty.</summary>
    /// <param name="value">What was given.</param>
    /// <param name="option">The option's name.</param>
    /// <returns>The text.</returns>
    /// <exception cref="ArgumentException">The text is null, empty or white space alone.</exception>
    public static string Text(string? value, string option) =>
        !string.IsNullOrWhiteSpace(value) ? value : throw new ArgumentException($"Option {option} must not be empty.", option);

    /// <summary>A text that is not empty, or none.</summary>
    /// <inheritdoc cref="Text"/>
    public static string? TextOrNull(string? value, string option) => value is null ? null : Text(value, option);

    /// <summary>A list of texts, none of them empty.</summary>
    /// <param name="value">What was given.</param>
    /// <param name="least">How many there must be at least.</param>
    /// <param name="option">The option's name.</param>
    /// <returns>A copy, so that the caller cannot change it later.</returns>
    /// <exception cref="ArgumentException">There are too few, or one is empty.</exception>
    public static IReadOnlyList<string> Texts(IReadOnlyList<string> value, int least, string option)
    {
        ArgumentNullException.ThrowIfNull(value, option);
        if (value.Count < least)
        {
            throw new ArgumentException($"Option {option} needs at least {least} entries, but has {value.Count}.", option);
        }
        for (int i = 0; i < value.Count; i++)
        {
            if (string.IsNullOrWhiteSpace(value[i]))
            {
                throw new ArgumentException($"Option {option} has an empty entry at index {i}: give it a text or take it out.", option);
            }
        }
        return [.. value];
    }
}
