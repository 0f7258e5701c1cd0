using System.Text.RegularExpressions;

namespace Dsd.Models.Lora;

/// <summary>Names of layers: an ending, a glob or a regular expression, as <see cref="LoraOptions.Targets"/> describes them.</summary>
/// <param name="Text">The pattern as it was given.</param>
/// <param name="Matches">Whether a layer's whole name is meant.</param>
internal sealed record LayerPattern(string Text, Func<string, bool> Matches)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    /// <summary>Refuses texts that are no patterns.</summary>
    public static IReadOnlyList<string> Checked(IReadOnlyList<string> texts, string option)
    {
        foreach (string text in texts)
        {
            Parse(text, option);
        }
        return texts;
    }

    /// <exception cref="ArgumentException">The text has none of the forms; the message names the option.</exception>
    public static LayerPattern Parse(string text, string option)
    {
        if (text is ['/', .., '/'] && text.Length > 2)
        {
            try
            {
                return new LayerPattern(text, PeftPatterns.Expression(text[1..^1], whole: true, Limit));
            }
            catch (FormatException e)
            {
                throw new ArgumentException($"Option {option}: '{text}' is no regular expression that can be used here: {e.Message}.", option, e);
            }
        }
        if (string.IsNullOrEmpty(text) || !text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '*' or '?'))
        {
            throw new ArgumentException(
                $"Option {option}: '{text}' is no name of layers: give an ending such as attn.to_q, a whole name with * and ?, or /a regular expression/.",
                option);
        }
        if (!text.AsSpan().ContainsAny('*', '?'))
        {
            return new LayerPattern(text, name => name == text || name.EndsWith("." + text, StringComparison.Ordinal));
        }
        Regex glob = new(
            @"\A" + Regex.Escape(text).Replace(@"\*", ".*", StringComparison.Ordinal).Replace(@"\?", ".", StringComparison.Ordinal) + @"\z",
            RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        return new LayerPattern(text, glob.IsMatch);
    }
}
