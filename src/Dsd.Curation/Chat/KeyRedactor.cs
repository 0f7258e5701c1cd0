using System.Buffers.Text;
using System.Text;

namespace Dsd.Curation.Chat;

/// <summary>
/// Takes a server's key out of what the server sends back, before that becomes a message or a row: as it is, escaped, encoded, in capitals,
/// pulled apart or in part.
/// </summary>
/// <remarks>
/// Compared are letters and digits alone, so whatever stands between them does not matter. So many of the key's in a row are taken out, the
/// same for its base64 at each of three offsets (as in <c>Basic</c> authorization) and its hexadecimal digits; and all that again in what
/// the text's escapes stand for. A key with few letters is sought as it is.
/// </remarks>
internal sealed class KeyRedactor
{
    /// <summary>What stands in the key's place.</summary>
    public const string Mark = "[key]";

    // Fewer letters and digits than these say too little, and would be found in words that are no part of a key.
    private const int ShortestPart = 8;

    // JSON within JSON within an address.
    private const int Decodings = 3;

    private readonly string? _key;
    private readonly List<string> _whole = [];
    private readonly HashSet<string> _parts = new(StringComparer.OrdinalIgnoreCase);
    private readonly int _part;

    /// <summary>A redactor of one key; null for none, which changes nothing.</summary>
    public KeyRedactor(string? key)
    {
        _key = string.IsNullOrEmpty(key) ? null : key;
        if (_key is null)
        {
            return;
        }
        int letters = _key.Count(char.IsAsciiLetterOrDigit);
        List<string> forms = [_key, Convert.ToHexString(Encoding.UTF8.GetBytes(_key)), .. Base64Forms(_key)];
        if (letters < ShortestPart)
        {
            _whole.AddRange(forms.Where((form, i) => i == 0 || form.Length >= 6));
            return;
        }
        _part = Math.Max(ShortestPart, letters / 3);
        foreach (string form in forms)
        {
            string only = string.Concat(form.Where(char.IsAsciiLetterOrDigit));
            for (int i = 0; i + _part <= only.Length; i++)
            {
                _parts.Add(only.Substring(i, _part));
            }
        }
    }

    /// <summary>
    /// Whether the key is a word such as 'none' or 'ollama', sent because a server wants some: not taken out of answers, where it may stand
    /// as a word.
    /// </summary>
    public bool IsWord => _key is { Length: < ShortestPart } && _key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    /// <summary>The text without the key.</summary>
    public string Hide(string text)
    {
        if (_key is null || text.Length == 0)
        {
            return text;
        }
        List<(int Start, int End)> found = [];
        DecodedText? view = DecodedText.Of(text);
        for (int i = 0; i <= Decodings && view is not null; i++, view = view.Decoded())
        {
            found.AddRange(_part > 0 ? Parts(view) : Wholes(view));
        }
        return found.Count == 0 ? text : Without(text, found);
    }

    /// <summary>A text of an answer without the key: see <see cref="IsWord"/>.</summary>
    public string HideInAnswer(string text) => IsWord ? text : Hide(text);

    private IEnumerable<(int Start, int End)> Parts(DecodedText view)
    {
        string text = view.Text;
        List<int> at = [];
        StringBuilder letters = new();
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsAsciiLetterOrDigit(text[i]))
            {
                at.Add(i);
                letters.Append(text[i]);
            }
        }
        string only = letters.ToString();
        HashSet<string>.AlternateLookup<ReadOnlySpan<char>> parts = _parts.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int i = 0; i + _part <= only.Length; i++)
        {
            if (parts.Contains(only.AsSpan(i, _part)))
            {
                yield return (view.Start(at[i]), view.End(at[i + _part - 1]));
            }
        }
    }

    private IEnumerable<(int Start, int End)> Wholes(DecodedText view)
    {
        string text = view.Text;
        foreach (string form in _whole)
        {
            for (int i = text.IndexOf(form, StringComparison.Ordinal); i >= 0; i = text.IndexOf(form, i + 1, StringComparison.Ordinal))
            {
                // Not the letters of a longer word: a key of three letters is in many.
                bool isBound = i > 0 && char.IsLetterOrDigit(text[i - 1]) && char.IsLetterOrDigit(form[0])
                    || i + form.Length < text.Length && char.IsLetterOrDigit(text[i + form.Length]) && char.IsLetterOrDigit(form[^1]);
                // What was encoded with others before or after it stands among letters always.
                if (!isBound || form != _key)
                {
                    yield return (view.Start(i), view.End(i + form.Length - 1));
                }
            }
        }
    }

    private static string Without(string text, List<(int Start, int End)> found)
    {
        found.Sort();
        StringBuilder rest = new(text.Length);
        int done = 0;
        foreach ((int start, int end) in found)
        {
            if (start > done || done == 0)
            {
                rest.Append(text, done, Math.Max(0, start - done)).Append(Mark);
            }
            done = Math.Max(done, end);
        }
        return rest.Append(text, done, text.Length - done).ToString();
    }

    /// <summary>
    /// What base64 of any text with the key inside has in it: the digits that follow from the key alone, for the three places where it can
    /// begin.
    /// </summary>
    private static IEnumerable<string> Base64Forms(string key)
    {
        for (int offset = 0; offset < 3; offset++)
        {
            byte[] padded = [.. new byte[offset], .. Encoding.UTF8.GetBytes(key)];
            int first = (8 * offset + 5) / 6;
            int end = 8 * padded.Length / 6;
            yield return Convert.ToBase64String(padded)[first..end];
            string forAddresses = Base64Url.EncodeToString(padded);
            yield return forAddresses[first..Math.Min(end, forAddresses.Length)];
        }
    }
}
