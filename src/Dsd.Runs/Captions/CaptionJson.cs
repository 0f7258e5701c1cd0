using System.Text;

namespace Dsd.Runs.Captions;

/// <summary>The elements of a captions file that is one JSON array, one at a time, so that a large one need not be in memory.</summary>
internal static class CaptionJson
{
    /// <summary>Reads the text of element after element. That each is JSON is for the caller to see.</summary>
    /// <param name="text">The file, before the array's bracket.</param>
    /// <param name="most">The most signs of an element.</param>
    /// <exception cref="InvalidDataException">The array does not end, something follows it, or an element is too long.</exception>
    public static IEnumerable<(int Line, string Json)> Elements(CaptionText text, int most)
    {
        text.Next();
        SkipSpace(text);
        bool isMore = text.Peek() != ']';
        if (!isMore)
        {
            text.Next();
        }
        while (isMore)
        {
            SkipSpace(text);
            int line = text.Line;
            yield return (line, Element(text, most, line));
            isMore = text.Next() == ',';
        }
        SkipSpace(text);
        if (text.Peek() >= 0)
        {
            throw text.Fault("nothing after the array", $"'{(char)text.Peek()}'");
        }
    }

    /// <summary>Passes over white space, as JSON has it.</summary>
    public static void SkipSpace(CaptionText text)
    {
        while (text.Peek() is ' ' or '\t' or '\n' or '\r')
        {
            text.Next();
        }
    }

    /// <summary>What stands before the next comma or bracket of the array itself.</summary>
    private static string Element(CaptionText text, int most, int line)
    {
        StringBuilder element = new();
        int depth = 0;
        bool isText = false;
        while (true)
        {
            int c = text.Peek();
            if (c < 0)
            {
                throw text.Fault("a ']' at the end of the array", "the end of the file");
            }
            if (!isText && depth == 0 && c is (',' or ']' or '}'))
            {
                return c != '}' ? element.ToString() : throw text.Fault("a caption, ',' or ']'", "'}'");
            }
            if (element.Length >= most)
            {
                throw text.Fault($"at most {most} characters in an element", "more", line);
            }
            element.Append((char)text.Next());
            if (isText)
            {
                if (c == '\\' && text.Peek() >= 0)
                {
                    element.Append((char)text.Next());
                }
                isText = c != '"';
            }
            else
            {
                isText = c == '"';
                depth += c is '[' or '{' ? 1 : c is ']' or '}' ? -1 : 0;
            }
        }
    }
}
