using System.Numerics;
using Dsd.Common.Options;

namespace Dsd.Models;

/// <summary>Checks of single option values: each names the option, what it may be and what was given.</summary>
internal static class Check
{
    public static T Range<T>(T value, T least, T most, string option)
        where T : INumber<T> =>
        OptionCheck.Range(value, least, most, option);

    public static int Side(int value, string option) =>
        value is >= 16 and <= 8192 && value % 16 == 0
            ? value
            : throw new ArgumentOutOfRangeException(option, value, $"Option {option} must be a multiple of 16 between 16 and 8192, but is {value}.");
}
