using System.Globalization;
using System.Text;

namespace Dsd.CommandLine;

/// <summary>Text from untrusted files, made safe to print: a name in a header must not move the cursor or fill the screen.</summary>
public static class Printable
{
    /// <summary>One line without control characters.</summary>
    /// <param name="text">The text.</param>
    /// <param name="maxLength">Longer text is cut and ends in an ellipsis.</param>
    public static string Line(string text, int maxLength = int.MaxValue)
    {
        StringBuilder line = new(Math.Min(text.Length, maxLength));
        foreach (char c in text.Length <= maxLength ? text : text[..(maxLength - 1)])
        {
            bool strange = char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
            if (strange && (line.Length == 0 || line[^1] == ' '))
            {
                continue;
            }
            line.Append(strange ? ' ' : c);
        }
        if (text.Length > maxLength)
        {
            line.Append('…');
        }
        return line.ToString().TrimEnd();
    }

    /// <summary>A number of bytes in the largest unit that keeps it at 1 or above: <c>23.8 GB</c> (10⁹ bytes).</summary>
    public static string Bytes(long bytes) => Scaled(bytes, ["B", "kB", "MB", "GB", "TB"]);

    /// <summary>A number of parameters: <c>11.9 B</c> (10⁹).</summary>
    public static string Count(long count) => Scaled(count, ["", "k", "M", "B", "T"]).TrimEnd();

    private static string Scaled(long value, string[] units)
    {
        double scaled = value;
        int unit = 0;
        while (scaled >= 999.95 && unit < units.Length - 1)
        {
            scaled /= 1000;
            unit++;
        }
        return unit == 0 ? $"{value} {units[0]}" : $"{scaled:0.0} {units[unit]}";
    }
}
