using System.Globalization;
using System.Net;
using System.Text;

namespace Dsd.Curation.Chat;

/// <summary>A text, and what its escapes stand for, with the place of each character in the text as it came.</summary>
internal sealed class DecodedText
{
    private readonly int[]? _starts;
    private readonly int[]? _ends;

    private DecodedText(string text, int[]? starts, int[]? ends) => (Text, _starts, _ends) = (text, starts, ends);

    /// <summary>The text, decoded so often.</summary>
    public string Text { get; }

    /// <summary>A text as it came.</summary>
    public static DecodedText Of(string text) => new(text, null, null);

    /// <summary>Where the character begins in the text as it came.</summary>
    public int Start(int index) => _starts?[index] ?? index;

    /// <summary>Where it ends there, exclusive.</summary>
    public int End(int index) => _ends?[index] ?? index + 1;

    /// <summary>The text with JSON's escapes, an address's percent signs and HTML's entities read once; null where it has none.</summary>
    public DecodedText? Decoded()
    {
        if (Text.AsSpan().IndexOfAny('\\', '%', '&') < 0)
        {
            return null;
        }
        StringBuilder text = new(Text.Length);
        List<int> starts = new(Text.Length);
        List<int> ends = new(Text.Length);
        for (int i = 0; i < Text.Length;)
        {
            (char value, int length) = At(i);
            text.Append(value);
            starts.Add(Start(i));
            ends.Add(End(i + length - 1));
            i += length;
        }
        return text.Length == Text.Length ? null : new DecodedText(text.ToString(), [.. starts], [.. ends]);
    }

    private (char Value, int Length) At(int i)
    {
        char first = Text[i];
        char second = i + 1 < Text.Length ? Text[i + 1] : '\0';
        switch (first)
        {
            case '\\' when second is 'u' && Hex(i + 2, 4) is { } value:
                return (value, 6);
            case '\\' when second is 'x' && Hex(i + 2, 2) is { } value:
                return (value, 4);
            case '\\' when second is 'n' or 'r' or 't' or 'b' or 'f':
                return (' ', 2);
            case '\\' when second != '\0':
                return (second, 2);
            case '%' when Hex(i + 1, 2) is { } value:
                return (value, 3);
            case '&' when Text.IndexOf(';', i, Math.Min(12, Text.Length - i)) is var end and > 0
                && WebUtility.HtmlDecode(Text[i..(end + 1)]) is { Length: 1 } value:
                return (value[0], end + 1 - i);
            default:
                return (first, 1);
        }
    }

    private char? Hex(int start, int digits) =>
        start + digits <= Text.Length
        && ushort.TryParse(Text.AsSpan(start, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort value)
            ? (char)value
            : null;
}
