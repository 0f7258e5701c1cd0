using Dsd.Models.Weights;
using Microsoft.ML.Tokenizers;

namespace Dsd.Models.Text;

/// <summary>
/// T5's tokenizer: a SentencePiece unigram model, from <c>spiece.model</c>, or from the <c>tokenizer.json</c> that transformers 5 saves alone.
/// </summary>
/// <remarks>
/// Encodes as the tokenizer of Hugging Face does, added and special tokens spelled out in the prompt included. Safe for use from several threads.
/// </remarks>
public sealed class T5Tokenizer : ITextTokenizer
{
    private const string ModelFile = "spiece.model";
    private const string Sentinel = "<extra_id_";
    private readonly SentencePieceTokenizer _pieces;
    private readonly AddedVocabulary _added;
    private readonly T5Words _words;
    private readonly int _end;
    private readonly int _pad;
    private readonly int _unknown;

    private T5Tokenizer(string path)
    {
        TokenizerFolder folder = TokenizerFolder.Open(path, "T5Tokenizer", "T5TokenizerFast");
        bool fromJson = folder.NeedsJson(ModelFile);
        TokenizerJson? json = folder.Json(fromJson);
        string file = fromJson ? json!.File : folder.At(ModelFile);
        SentencePieceModel model = fromJson
            ? SentencePieceModel.Of(file, json!.Unigram())
            : SentencePieceModel.Parse(file, Json.Bytes(file, TokenizerJson.MaxFileBytes));
        IReadOnlyCollection<AddedToken> added = AddedTokens.Of(folder, json, model.IdOf, model.Count, fromJson ? [] : Sentinels(folder, model.Count));
        Dictionary<string, AddedToken> tokens = added.ToDictionary(t => t.Content);
        if (fromJson && folder.ExtraIds > 0 && !tokens.ContainsKey($"{Sentinel}0>"))
        {
            throw new WeightsException(file, $"the {folder.ExtraIds} sentinels that tokenizer_config.json asks for (extra_ids)", $"no token '{Sentinel}0>'");
        }
        MaxLength = folder.MaxLength(most: 512);
        VocabularySize = Math.Max(model.Count, added.Select(t => t.Id + 1).DefaultIfEmpty().Max());
        string end = Special("eos_token", "</s>");
        string pad = Special("pad_token", "<pad>");
        string unknown = Special("unk_token", "<unk>");
        (_end, _pad, _unknown) = (tokens[end].Id, tokens[pad].Id, tokens[unknown].Id);
        if (_unknown != model.Unknown)
        {
            throw new WeightsException(file, $"the unknown token '{unknown}' ({_unknown}) as the model's own", $"id {model.Unknown}");
        }
        if (fromJson)
        {
            json!.CheckEnds(null, (end, _end), pad);
        }
        _added = new AddedVocabulary(tokens.Values, fromJson ? TextSteps.Parse(file, json!.Normalizer) : new T5Normalizer(file, model.CharacterMap).Normalize);
        _words = fromJson ? T5Words.Parse(json!) : new T5Words();
        try
        {
            _pieces = SentencePieceTokenizer.Create(new MemoryStream(model.Write(_end)), addBeginningOfSentence: false, addEndOfSentence: false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new WeightsException(file, "a SentencePiece unigram model", e.Message.TrimEnd('.'), e);
        }

        string Special(string field, string otherwise)
        {
            string token = folder.Token(field, otherwise);
            if (!tokens.ContainsKey(token))
            {
                int id = model.IdOf(token)
                    ?? throw new WeightsException(file, $"the special token '{token}'", $"{model.Count} pieces, none of them it");
                tokens.Add(token, new AddedToken(token, id));
            }
            return token;
        }
    }

    /// <inheritdoc/>
    public int MaxLength { get; }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    /// <summary>
    /// Reads a tokenizer's folder: <c>tokenizer_config.json</c>, and <c>spiece.model</c> or else <c>tokenizer.json</c>; and the tokens that
    /// <c>added_tokens.json</c>, <c>special_tokens_map.json</c> and the others add.
    /// </summary>
    /// <exception cref="WeightsException">A file is missing, too large or wrong, or they contradict each other.</exception>
    public static T5Tokenizer Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return new T5Tokenizer(folder);
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
                continue;
            }
            // Word by word and normalised here: the library's own normaliser does not return from some texts with white space.
            foreach (string word in _words.Of(plain))
            {
                AddFused(
                    ids,
                    _pieces.EncodeToIds(
                        word, addBeginningOfSentence: false, addEndOfSentence: false, considerPreTokenization: false, considerNormalization: false));
            }
        }
        return PromptText.Fit(ids, null, _end, _pad, maxLength, out truncated);
    }

    /// <summary>
    /// The sentinels of T5's pretraining, which follow the pieces in descending order: as many as the config says, or as special tokens name.
    /// </summary>
    private static IEnumerable<AddedToken> Sentinels(TokenizerFolder folder, int pieces)
    {
        int count = folder.ExtraIds ?? folder.Special().Select(s => AddedToken.ContentOf(s.Value)).Where(
            t => t?.StartsWith(Sentinel, StringComparison.Ordinal) == true).Distinct().Count();
        return Enumerable.Range(0, count).Select(i => new AddedToken($"{Sentinel}{i}>", pieces + count - 1 - i));
    }

    /// <summary>Unknown characters side by side in a word are one token.</summary>
    private void AddFused(List<int> ids, IReadOnlyList<int> word)
    {
        for (int i = 0; i < word.Count; i++)
        {
            if (i == 0 || word[i] != _unknown || word[i - 1] != _unknown)
            {
                ids.Add(word[i]);
            }
        }
    }
}
