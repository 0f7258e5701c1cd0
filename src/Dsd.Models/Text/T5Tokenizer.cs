using Dsd.Models.Weights;
using Microsoft.ML.Tokenizers;

namespace Dsd.Models.Text;

/// <summary>T5's tokenizer: a SentencePiece unigram model, from <c>spiece.model</c>.</summary>
/// <remarks>Encodes as the tokenizer of Hugging Face does, special tokens spelled out in the prompt included. Safe for use from several threads.</remarks>
public sealed class T5Tokenizer : ITextTokenizer
{
    private const long MaxFileBytes = 64_000_000;
    private readonly SentencePieceTokenizer _pieces;
    private readonly T5Normalizer _normalizer;
    private readonly Dictionary<string, int> _specials;
    private readonly int _end;
    private readonly int _pad;
    private readonly int _unknown;

    private T5Tokenizer(string folder)
    {
        TokenizerConfig config = TokenizerConfig.Read(folder, "T5Tokenizer", "T5TokenizerFast");
        string file = Path.Combine(folder, "spiece.model");
        byte[] bytes = Json.Bytes(file, MaxFileBytes);
        SentencePieceModel model = SentencePieceModel.Parse(file, bytes);
        MaxLength = config.MaxLength(folder, most: 512);
        string end = TokenizerConfig.Token(config.EosToken, "</s>");
        string pad = TokenizerConfig.Token(config.PadToken, "<pad>");
        string unknown = TokenizerConfig.Token(config.UnkToken, "<unk>");
        _specials = new[] { end, pad, unknown }.Distinct().ToDictionary(t => t, t => model.Id(file, t));
        // The sentinels of T5's pretraining follow the pieces in descending order.
        int extra = Check.Range(config.ExtraIds ?? 0, 0, 10_000, "extra_ids");
        VocabularySize = model.Pieces.Count + extra;
        for (int i = 0; i < extra; i++)
        {
            _specials[$"<extra_id_{i}>"] = VocabularySize - 1 - i;
        }
        (_end, _pad, _unknown) = (_specials[end], _specials[pad], _specials[unknown]);
        _normalizer = new T5Normalizer(file, model.CharacterMap);
        try
        {
            _pieces = SentencePieceTokenizer.Create(new MemoryStream(model.WithBeginToken(bytes, end, _end)), addBeginningOfSentence: false, addEndOfSentence: false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new WeightsException(file, "a SentencePiece unigram model", e.Message.TrimEnd('.'), e);
        }
    }

    /// <inheritdoc/>
    public int MaxLength { get; }

    /// <inheritdoc/>
    public int VocabularySize { get; }

    /// <summary>Reads a tokenizer's folder: <c>spiece.model</c> and <c>tokenizer_config.json</c>.</summary>
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
        foreach ((string plain, int? special) in PromptText.Split(PromptText.Checked(text, maxLength, MaxLength), _specials))
        {
            if (special is { } id)
            {
                ids.Add(id);
                continue;
            }
            // Word by word and normalised here: the library's own normaliser does not return from some texts with white space.
            foreach (string word in _normalizer.Words(plain))
            {
                AddFused(ids, _pieces.EncodeToIds(word, addBeginningOfSentence: false, addEndOfSentence: false, considerPreTokenization: false, considerNormalization: false));
            }
        }
        return PromptText.Fit(ids, null, _end, _pad, maxLength, out truncated);
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
