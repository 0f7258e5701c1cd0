using System.Text;

namespace Dsd.Curation.Grids;

/// <summary>Fills <c>{name}</c> in templates in one pass, so that a brace inside a filled-in text is never read again.</summary>
internal static class Placeholders
{
    /// <exception cref="ArgumentException">A placeholder is unknown or not closed.</exception>
    public static string Fill(string template, Func<string, string?> value)
    {
        StringBuilder text = new(template.Length * 2);
        int from = 0;
        for (int open = template.IndexOf('{'); open >= 0; open = template.IndexOf('{', from))
        {
            int close = template.IndexOf('}', open);
            if (close < 0)
            {
                throw new ArgumentException($"Template '{template}': the brace at {open} is not closed.");
            }
            string name = template[(open + 1)..close];
            text.Append(template, from, open - from);
            text.Append(value(name) ?? throw new ArgumentException($"Template '{template}': {{{name}}} is no placeholder that can stand here."));
            from = close + 1;
        }
        return text.Append(template, from, template.Length - from).ToString();
    }
}
