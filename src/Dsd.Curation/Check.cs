using System.Numerics;

namespace Dsd.Curation;

/// <summary>Checks of single option values: each names the option, what it may be and what was given.</summary>
internal static class Check
{
    public static T Range<T>(T value, T least, T most, string option)
        where T : INumber<T> =>
        value >= least && value <= most
            ? value
            : throw new ArgumentOutOfRangeException(option, value, $"Option {option} must lie between {least} and {most}, but is {value}.");

    /// <summary>A list of texts, copied so that the caller cannot change it later: at least <paramref name="least"/>, none of them empty.</summary>
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
