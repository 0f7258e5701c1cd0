using System.Text;

namespace Dsd.Runs.Captions;

/// <summary>The rows of a captions file with columns, as RFC 4180 writes them; with tabs for commas as well.</summary>
internal static class CaptionCsv
{
    /// <summary>Reads row after row. Empty lines are passed over.</summary>
    /// <param name="text">The file.</param>
    /// <param name="separator">What stands between fields.</param>
    /// <param name="most">The most signs of a row.</param>
    /// <exception cref="InvalidDataException">Quotes stand where none may, or a row is too long.</exception>
    public static IEnumerable<(int Line, string[] Fields)> Rows(CaptionText text, char separator, int most)
    {
        List<string> fields = [];
        while (text.Peek() >= 0)
        {
            int line = text.Line;
            int room = most;
            fields.Clear();
            for (bool isMore = true; isMore;)
            {
                (string field, isMore) = Field(text, separator, room, line);
                fields.Add(field);
                room -= field.Length + 1;
            }
            if (fields is not [""])
            {
                yield return (line, [.. fields]);
            }
        }
    }

    private static (string Field, bool IsMore) Field(CaptionText text, char separator, int room, int line)
    {
        StringBuilder field = new();
        bool isQuoted = text.Peek() == '"';
        if (isQuoted)
        {
            text.Next();
            Quoted(text, field, room, line);
        }
        while (true)
        {
            int c = text.Next();
            switch (c)
            {
                case < 0 or '\n':
                    return (field.ToString(), false);
                case '\r':
                    // A line feed follows.
                    break;
                case var _ when c == separator:
                    return (field.ToString(), true);
                case var _ when isQuoted:
                    throw text.Fault("a separator or the end of the row after a closing quote", $"'{(char)c}'");
                case '"':
                    throw text.Fault("quotes around a whole field, and doubled within it", "one inside a field without quotes");
                default:
                    Append(text, field, c, room, line);
                    break;
            }
        }
    }

    private static void Quoted(CaptionText text, StringBuilder field, int room, int line)
    {
        while (true)
        {
            int c = text.Next();
            if (c < 0)
            {
                throw text.Fault("a closing quote", "the end of the file", line);
            }
            if (c == '"')
            {
                if (text.Peek() != '"')
                {
                    return;
                }
                text.Next();
            }
            Append(text, field, c, room, line);
        }
    }

    private static void Append(CaptionText text, StringBuilder field, int c, int room, int line)
    {
        if (field.Length >= room)
        {
            throw text.Fault("a shorter row", "more signs than a row may have, or a quote that is not closed", line);
        }
        field.Append((char)c);
    }
}
