using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dsd.Common.Files;

namespace Dsd.Lab.Tokenizers;

/// <summary>
/// Learns a CLIP-style tokenizer (byte-level pairs with <c>&lt;/w&gt;</c> at the end of words) from texts and writes it in the published format:
/// <c>vocab.json</c>, <c>merges.txt</c> and <c>tokenizer_config.json</c>.
/// </summary>
/// <remarks>The same texts always give the same files. Every byte is in the vocabulary, so no text is unknown.</remarks>
internal static partial class ClipTokenizerFiles
{
    /// <summary>The entries that every vocabulary has: 256 bytes within and at the end of words, and two special tokens.</summary>
    public const int LeastEntries = 2 * 256 + 2;

    private const string WordEnd = "</w>";

    /// <summary>Learns a tokenizer and writes its files, which replace earlier ones.</summary>
    /// <param name="folder">Where the files are written; created when missing.</param>
    /// <param name="corpus">The texts to learn from.</param>
    /// <param name="maxEntries">
    /// The most entries of the vocabulary, at least <see cref="LeastEntries"/>; fewer when every word has become one token before.
    /// </param>
    /// <returns>The size of the vocabulary.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxEntries"/> is too small.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static int Write(string folder, IEnumerable<string> corpus, int maxEntries = 1500)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(corpus);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxEntries, LeastEntries);

        char[] alphabet = ByteCharacters();
        List<string> entries = [.. alphabet.Order().Select(c => c.ToString())];
        entries.AddRange([.. entries.Select(entry => entry + WordEnd)]);
        List<(string Left, string Right)> merges = Learn(Words(corpus, alphabet), maxEntries - LeastEntries);
        HashSet<string> known = [.. entries];
        foreach ((string left, string right) in merges)
        {
            // Two pairs may spell the same token; it has one id.
            if (known.Add(left + right))
            {
                entries.Add(left + right);
            }
        }
        entries.AddRange(["<|startoftext|>", "<|endoftext|>"]);

        Directory.CreateDirectory(folder);
        Dictionary<string, int> vocabulary = [];
        foreach (string entry in entries)
        {
            vocabulary.Add(entry, vocabulary.Count);
        }
        JsonSerializerOptions json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        WriteText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(vocabulary, json) + "\n");
        StringBuilder lines = new("#version: 0.2\n");
        foreach ((string left, string right) in merges)
        {
            lines.Append(left).Append(' ').Append(right).Append('\n');
        }
        WriteText(Path.Combine(folder, "merges.txt"), lines.ToString());
        WriteText(Path.Combine(folder, "tokenizer_config.json"), """
            {
              "bos_token": "<|startoftext|>",
              "do_lower_case": true,
              "eos_token": "<|endoftext|>",
              "model_max_length": 77,
              "pad_token": "<|endoftext|>",
              "tokenizer_class": "CLIPTokenizer",
              "unk_token": "<|endoftext|>"
            }

            """);
        return vocabulary.Count;
    }

    internal static void WriteText(string path, string text) =>
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\n"))));

    // How often each word occurs, as symbols: one for every byte, the last with the mark of the word's end.
    private static List<(List<string> Symbols, long Count)> Words(IEnumerable<string> corpus, char[] alphabet)
    {
        Dictionary<string, long> counts = [];
        foreach (string text in corpus)
        {
            string lower = text.ToLowerInvariant();
            foreach (ValueMatch match in WordPattern().EnumerateMatches(lower))
            {
                string word = lower.Substring(match.Index, match.Length);
                counts[word] = counts.GetValueOrDefault(word) + 1;
            }
        }
        List<(List<string>, long)> words = [];
        foreach ((string word, long count) in counts.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            List<string> symbols = [.. Encoding.UTF8.GetBytes(word).Select(b => alphabet[b].ToString())];
            symbols[^1] += WordEnd;
            words.Add((symbols, count));
        }
        return words;
    }

    private static List<(string Left, string Right)> Learn(List<(List<string> Symbols, long Count)> words, int most)
    {
        List<(string, string)> merges = [];
        while (merges.Count < most)
        {
            Dictionary<(string, string), long> pairs = [];
            foreach ((List<string> symbols, long count) in words)
            {
                for (int i = 1; i < symbols.Count; i++)
                {
                    (string, string) pair = (symbols[i - 1], symbols[i]);
                    pairs[pair] = pairs.GetValueOrDefault(pair) + count;
                }
            }
            if (pairs.Count == 0)
            {
                break;
            }
            (string left, string right) = pairs
                .OrderByDescending(pair => pair.Value)
                .ThenBy(pair => pair.Key.Item1, StringComparer.Ordinal)
                .ThenBy(pair => pair.Key.Item2, StringComparer.Ordinal)
                .First().Key;
            merges.Add((left, right));
            foreach ((List<string> symbols, _) in words)
            {
                for (int i = 1; i < symbols.Count; i++)
                {
                    if (symbols[i - 1] == left && symbols[i] == right)
                    {
                        symbols[i - 1] = left + right;
                        symbols.RemoveAt(i);
                    }
                }
            }
        }
        return merges;
    }

    // Byte-level vocabularies write visible bytes as themselves and the others as characters from U+0100 on.
    private static char[] ByteCharacters()
    {
        char[] characters = new char[256];
        int hidden = 0;
        for (int value = 0; value < 256; value++)
        {
            bool visible = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            characters[value] = visible ? (char)value : (char)(0x100 + hidden++);
        }
        return characters;
    }

    // Where CLIP cuts a text: contractions, runs of letters, single digits, runs of anything else but white space.
    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")]
    private static partial Regex WordPattern();
}
