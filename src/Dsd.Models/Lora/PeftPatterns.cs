using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Dsd.Models.Lora;

/// <summary>
/// PEFT's <c>rank_pattern</c> or <c>alpha_pattern</c>: numbers for modules whose names match. The rule is PEFT's (<c>get_pattern_key</c>, 0.21): the first
/// key, in the
/// config's order, for which the regular expression <c>(.*\.)?(KEY)$</c> matches from the name's start. So a plain name also means all longer ones that
/// end in it after a dot,
/// and <c>^</c> in front, as diffusers writes it, means the name alone.
/// </summary>
internal sealed class PeftPatterns
{
    private const int LongestKey = 1000;
    private static readonly TimeSpan MatchLimit = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan WholeLimit = TimeSpan.FromSeconds(5);
    private readonly List<(string Key, Func<string, bool> Matches, double Value)> _entries = [];
    private readonly Stopwatch _spent = new();

    /// <summary>How many patterns there are.</summary>
    public int Count => _entries.Count;

    /// <summary>Adds a pattern behind the others.</summary>
    /// <exception cref="FormatException">The key is no regular expression that means the same here as in Python; says why.</exception>
    public void Add(string key, double value)
    {
        _spent.Start();
        try
        {
            _entries.Add((key, Plain(key) ?? Expression(key, whole: false, MatchLimit), value));
        }
        finally
        {
            _spent.Stop();
        }
    }

    /// <summary>The number for a module; null where no pattern matches.</summary>
    /// <exception cref="RegexMatchTimeoutException">A pattern took too long.</exception>
    public double? Find(string module)
    {
        _spent.Start();
        try
        {
            foreach ((string key, Func<string, bool> matches, double value) in _entries)
            {
                if (_spent.Elapsed > WholeLimit)
                {
                    throw new RegexMatchTimeoutException(module, key, WholeLimit);
                }
                if (matches(module))
                {
                    return value;
                }
            }
            return null;
        }
        finally
        {
            _spent.Stop();
        }
    }

    // Hundreds of patterns on hundreds of modules are common, and nearly all are names, whose points match any character.
    private static Func<string, bool>? Plain(string key)
    {
        bool anchored = key.StartsWith('^');
        string name = anchored ? key[1..] : key;
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.'))
        {
            return null;
        }
        return module =>
        {
            int start = module.Length - name.Length;
            if (start < 0 || (start > 0 && (anchored || module[start - 1] != '.')))
            {
                return false;
            }
            for (int i = 0; i < name.Length; i++)
            {
                if (name[i] != module[start + i] && name[i] != '.')
                {
                    return false;
                }
            }
            return true;
        };
    }

    /// <summary>A pattern of Python's as a test.</summary>
    /// <param name="key">The pattern.</param>
    /// <param name="whole">Whether all of a name must match, as Python's <c>fullmatch</c> has it; else an ending of it after a dot.</param>
    /// <param name="limit">How long one match may take.</param>
    /// <exception cref="FormatException">It is no regular expression that means the same here as in Python; says why.</exception>
    public static Func<string, bool> Expression(string key, bool whole, TimeSpan limit)
    {
        if (key.Length > LongestKey)
        {
            throw new FormatException($"{key.Length} characters, more than {LongestKey}");
        }
        if (!Common.IsMatch(key) || StrangeGroup.IsMatch(key))
        {
            throw new FormatException("signs that Python and .NET may read differently");
        }
        try
        {
            Regex expression = new(whole ? $@"\A(?:{key})\z" : $@"\A(?:(.*\.)?({key})$)", RegexOptions.CultureInvariant, limit);
            return expression.IsMatch;
        }
        catch (ArgumentException)
        {
            throw new FormatException("no regular expression");
        }
    }

    // Literals, the usual escapes, groups, classes without others inside, and repetitions with a first bound.
    private static readonly Regex Common = new(
        @"\A(?:[^\\\[\](){}*+?]|\\[dDwWsSbB]|\\[^\w\s]|\((?:\?(?::|=|!|<=|<!))?|\)|"
            + @"\[\^?\]?(?:[^\[\]\\]|\\[dDwWsS]|\\[^\w\s])*\]|[*+?]\??|\{[0-9]{1,4}(?:,[0-9]{0,4})?\}\??)*\z",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);

    // Named groups, flags and conditions.
    private static readonly Regex StrangeGroup = new(@"\(\?(?!:|=|!|<=|<!)", RegexOptions.CultureInvariant);
}
