using System.Text;
using Dsd.Models.Weights;
using Microsoft.ML.Tokenizers;

namespace Dsd.Models.Text;

/// <summary>
/// CLIP's tokenizer: lower-cased words in byte-level pairs, from <c>vocab.json</c> and <c>merges.txt</c>, or from the <c>tokenizer.json</c> that
/// transformers 5 saves alone.
/// </summary>
/// <remarks>
/// Encodes as the tokenizer of Hugging Face does, added and special tokens spelled out in the prompt included. Safe for use from several threads.
/// </remarks>
public sealed class ClipTokenizer : ITextTokenizer
{
    internal const string WordEnd = "</w>";
    private const string VocabularyFile = "vocab.json";
    private const string MergesFile = "merges.txt";
    private readonly BpeTokenizer _pairs;
    private readonly AddedVocabulary _added;
    private readonly int _begin;
    private readonly int _end;
    private readonly int _pad;

    private ClipTokenizer(string path)
    {
        TokenizerFolder folder = TokenizerFolder.Open(path, "CLIPTokenizer", "CLIPTokenizerFast");
        bool fromJson = folder.NeedsJson(VocabularyFile, MergesFile);
        TokenizerJson? json = folder.Json(fromJson);
        string file = fromJson ? json!.File : folder.At(VocabularyFile);
        (Dictionary<string, int> vocabulary, IEnumerable<(string Pair, string Place)> merges) = fromJson ? FromJson(json!) : FromFiles(folder);
        CheckIds(file, vocabulary);
        IReadOnlyCollection<AddedToken> added = AddedTokens.Of(folder, json, t => vocabulary.TryGetValue(t, out int known) ? known : null, vocabulary.Count);
        Dictionary<string, AddedToken> tokens = added.ToDictionary(t => t.Content);
        MaxLength = folder.MaxLength(most: 77);
        VocabularySize = Math.Max(vocabulary.Count, added.Select(t => t.Id + 1).DefaultIfEmpty().Max());
        string begin = Special("bos_token", "<|startoftext|>");
        string end = Special("eos_token", "<|endoftext|>");
        string pad = Special("pad_token", "<|endoftext|>");
        string unknown = Special("unk_token", "<|endoftext|>");
        (_begin, _end, _pad) = (tokens[begin].Id, tokens[end].Id, tokens[pad].Id);
        if (fromJson)
        {
            json!.CheckEnds((begin, _begin), (end, _end), pad);
        }
        _added = new AddedVocabulary(tokens.Values, fromJson ? TextSteps.Parse(file, json!.Normalizer) : ClipNormalizer.Normalize);
        _pairs = BpeTokenizer.Create(new BpeOptions(vocabulary)
        {
            Merges = Checked(fromJson ? file : folder.At(MergesFile), merges, vocabulary),
            ByteLevel = true,
            EndOfWordSuffix = WordEnd,
            // Every byte has a token, so that nothing is unknown; the library wants one of the vocabulary all the same.
            UnknownToken = vocabulary.ContainsKey(unknown) ? unknown : null,
            PreTokenizer = fromJson ? ClipPreTokenizer.Parse(json!) : new ClipPreTokenizer(),
        });

        string Special(string field, string otherwise)
        {
            string token = folder.Token(field, otherwise);
            if (!tokens.ContainsKey(token))
            {
                tokens.Add(token, new AddedToken(token, Id(file, vocabulary, token)));
            }
            return token;
        }
    }

    /// <inheritdoc/>
    public int MaxLength { get; }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    /// <summary>The id that closes a text.</summary>
    public int EndOfText => _end;

    /// <summary>
    /// Reads a tokenizer's folder: <c>tokenizer_config.json</c>, and <c>vocab.json</c> with <c>merges.txt</c> or else <c>tokenizer.json</c>; and
    /// the tokens that <c>added_tokens.json</c>, <c>special_tokens_map.json</c> and the others add.
    /// </summary>
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
        foreach ((string plain, int? token) in _added.Split(PromptText.Checked(text, maxLength, MaxLength)))
        {
            if (token is { } id)
            {
                ids.Add(id);
            }
            else
            {
                ids.AddRange(_pairs.EncodeToIds(plain, considerNormalization: false));
            }
        }
        return PromptText.Fit(ids, _begin, _end, _pad, maxLength, out truncated);
    }

    private static int Id(string file, Dictionary<string, int> vocabulary, string token) =>
        vocabulary.TryGetValue(token, out int id)
            ? id
            : throw new WeightsException(file, $"the special token '{token}'", $"{vocabulary.Count} tokens, none of them it");

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

    private static (Dictionary<string, int>, IEnumerable<(string, string)>) FromJson(TokenizerJson json)
    {
        (Dictionary<string, int> vocabulary, string[] merges) = json.Bpe();
        return (vocabulary, merges.Select((merge, i) => (merge, $"entry {i + 1} of model.merges")));
    }

    private static (Dictionary<string, int>, IEnumerable<(string, string)>) FromFiles(TokenizerFolder folder)
    {
        Dictionary<string, int> vocabulary = Json.Read<Dictionary<string, int>>(folder.At(VocabularyFile), TokenizerJson.MaxFileBytes);
        string text = Encoding.UTF8.GetString(Json.Text(folder.At(MergesFile), TokenizerJson.MaxFileBytes).Span);
        return (
            vocabulary,
            text.Split('\n')
                .Select((line, i) => (Line: line.TrimEnd('\r'), Number: i + 1))
                .Where(l => l.Line.Length > 0 && !(l.Number == 1 && l.Line.StartsWith("#version", StringComparison.Ordinal)))
                .Select(l => (l.Line, $"line {l.Number}")));
    }

    /// <summary>The merges, each two tokens whose union is a token too, and none twice.</summary>
    private static List<string> Checked(string file, IEnumerable<(string Pair, string Place)> merges, Dictionary<string, int> vocabulary)
    {
        Dictionary<string, string> seen = [];
        foreach ((string pair, string place) in merges)
        {
            string quoted = pair.Length > 80 ? pair[..80] : pair;
            string[] parts = pair.Split(' ');
            if (parts.Length != 2 || !vocabulary.ContainsKey(parts[0]) || !vocabulary.ContainsKey(parts[1]) || !vocabulary.ContainsKey(parts[0] + parts[1]))
            {
                throw new WeightsException(file, "merges of two tokens of the vocabulary, whose union is there too", $"'{quoted}' in {place}");
            }
            if (!seen.TryAdd(pair, place))
            {
                throw new WeightsException(file, "each merge once", $"'{quoted}' in {seen[pair]} and in {place}");
            }
        }
        return [.. seen.Keys];
    }
}
