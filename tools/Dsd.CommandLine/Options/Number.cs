using System.Globalization;
using System.Numerics;

namespace Dsd.CommandLine.Options;

/// <summary>
/// Numbers as the command line takes them: digits, a minus before them, and a point between them. Whatever else a language or a machine writes is
/// refused rather than guessed at.
/// </summary>
public static class Number
{
    private const int MaxShown = 60;

    /// <summary>Reads a number.</summary>
    /// <returns>Whether the text is one; a whole number has no point.</returns>
    public static bool TryRead<T>(string text, out T value)
        where T : struct, INumber<T>
    {
        value = default;
        return IsPlain(text, mayHavePoint: !IsWhole<T>())
            && T.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value)
            && T.IsFinite(value);
    }

    /// <summary>What is expected instead of a text that is no number, and what was typed.</summary>
    public static string Fault<T>(string text)
        where T : struct, INumber<T>, IMinMaxValue<T> => IsPlain(text, mayHavePoint: !IsWhole<T>())
        ? $"must lie between {T.MinValue} and {T.MaxValue}, but is '{Shown(text)}'"
        : IsWhole<T>()
            ? $"must be a whole number, written in the digits 0 to 9 alone, but is '{Shown(text)}'"
            : $"must be a number, written in the digits 0 to 9 with a point before decimals, such as 3.5, but is '{Shown(text)}'";

    /// <summary>What was typed, for a message.</summary>
    public static string Shown(string text) => Printable.Line(text, MaxShown);

    private static bool IsWhole<T>() => typeof(T) != typeof(float) && typeof(T) != typeof(double);

    private static bool IsPlain(string text, bool mayHavePoint)
    {
        ReadOnlySpan<char> digits = text.StartsWith('-') ? text.AsSpan(1) : text;
        int point = mayHavePoint ? digits.IndexOf('.') : -1;
        return digits.Length > point + 1
            && (point <= 0 || AreDigits(digits[..point]))
            && AreDigits(digits[(point + 1)..]);
    }

    private static bool AreDigits(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('0', '9');
}
