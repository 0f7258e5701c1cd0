using System.Text;
using Dsd.Models.Weights;
using Microsoft.ML.Tokenizers;

namespace Dsd.Models.Text;

/// <summary>CLIP's tokenizer: lower-cased words in byte-level pairs, from <c>vocab.json</c> and <c>merges.txt</c>.</summary>
/// <remarks>Encodes as the tokenizer of Hugging Face does, special tokens spelled out in the prompt included. Safe for use from several threads.</remarks>
public sealed class ClipTokenizer : ITextTokenizer
{
    private const long MaxFileBytes = 64_000_000;
    private const string WordEnd = "</w>";
    private readonly BpeTokenizer _pairs;
    private readonly Dictionary<string, int> _specials;
    private readonly int _begin;
    private readonly int _end;
    private readonly int _pad;

    private ClipTokenizer(string folder)
    {
        TokenizerConfig config = TokenizerConfig.Read(folder, "CLIPTokenizer", "CLIPTokenizerFast");
        string vocabularyFile = Path.Combine(folder, "vocab.json");
        Dictionary<string, int> vocabulary = Json.Read<Dictionary<string, int>>(vocabularyFile, MaxFileBytes);
        CheckIds(vocabularyFile, vocabulary);
        MaxLength = config.MaxLength(folder, most: 77);
        VocabularySize = vocabulary.Count;
        string unknown = TokenizerConfig.Token(config.UnkToken, "<|endoftext|>");
        string begin = TokenizerConfig.Token(config.BosToken, "<|startoftext|>");
        string end = TokenizerConfig.Token(config.EosToken, "<|endoftext|>");
        string pad = TokenizerConfig.Token(config.PadToken, "<|endoftext|>");
        _specials = new[] { begin, end, pad, unknown }.Distinct().ToDictionary(t => t, t => Id(vocabularyFile, vocabulary, t));
        (_begin, _end, _pad) = (_specials[begin], _specials[end], _specials[pad]);
        _pairs = BpeTokenizer.Create(new BpeOptions(vocabulary)
        {
            Merges = Merges(Path.Combine(folder, "merges.txt"), vocabulary),
            ByteLevel = true,
            EndOfWordSuffix = WordEnd,
            UnknownToken = unknown,
            Normalizer = new ClipNormalizer(),
            PreTokenizer = new ClipPreTokenizer(),
        });
    }

    /// <inheritdoc/>
    public int MaxLength { get; }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    /// <summary>The id that closes a text.</summary>
    public int EndOfText => _end;

    /// <summary>Reads a tokenizer's folder: <c>vocab.json</c>, <c>merges.txt</c> and <c>tokenizer_config.json</c>.</summary>
    /// <exception cref="WeightsException">A file is missing, too large or wrong, or they contradict each other.</exception>
    public static ClipTokenizer Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return new ClipTokenizer(folder);
    }

    /// <summary>Encodes a prompt as <see cref="Encode(string, int, out bool)"/> does.</summary>
    public long[] Encode(string text, int maxLength) => Encode(text, maxLength, out _);

    /// <inheritdoc/>
    public long[] Encode(string text, int maxLength, out bool truncated)
    {
        List<int> ids = [];
        foreach ((string plain, int? special) in PromptText.Split(PromptText.Checked(text, maxLength, MaxLength), _specials))
        {
            if (special is { } id)
            {
                ids.Add(id);
            }
            else
            {
                ids.AddRange(_pairs.EncodeToIds(plain));
            }
        }
        return PromptText.Fit(ids, _begin, _end, _pad, maxLength, out truncated);
    }

    private static int Id(string file, Dictionary<string, int> vocabulary, string token) =>
        vocabulary.TryGetValue(token, out int id) ? id : throw new WeightsException(file, $"the special token '{token}'", $"{vocabulary.Count} tokens, none of them it");

    private static void CheckIds(string file, Dictionary<string, int> vocabulary)
    {
        bool[] seen = new bool[vocabulary.Count];
        foreach ((string token, int id) in vocabulary)
        {
            if (id < 0 || id >= seen.Length || seen[id])
            {
                throw new WeightsException(file, $"each id from 0 to {seen.Length - 1} once", $"id {id} for '{token}'");
            }
            seen[id] = true;
        }
        // Every byte is written as a character of its own, within a word and at its end, so that no text is unknown.
        foreach (string token in ClipBytes.Characters.SelectMany(c => new[] { $"{c}", c + WordEnd }))
        {
            _ = Id(file, vocabulary, token);
        }
    }

    private static List<string> Merges(string file, Dictionary<string, int> vocabulary)
    {
        List<string> merges = [];
        string text = Encoding.UTF8.GetString(Json.Bytes(file, MaxFileBytes));
        foreach (string line in text.Split('\n').Select(l => l.TrimEnd('\r')))
        {
            if (line.Length == 0 || (merges.Count == 0 && line.StartsWith("#version", StringComparison.Ordinal)))
            {
                continue;
            }
            string[] pair = line.Split(' ');
            if (pair.Length != 2 || !vocabulary.ContainsKey(pair[0]) || !vocabulary.ContainsKey(pair[1]) || !vocabulary.ContainsKey(pair[0] + pair[1]))
            {
                throw new WeightsException(file, "two tokens of vocab.json a line, whose union is there too", $"'{(line.Length > 80 ? line[..80] : line)}'");
            }
            merges.Add(line);
        }
        return merges;
    }
}
